"""What `ccsync doctor` looks at: this machine, then both vendors; one finding for each check."""
