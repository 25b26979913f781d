"""The checks of `ccsync doctor`: first this machine, then both vendors. Each check yields one finding."""
