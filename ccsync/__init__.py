"""ccsync keeps one Constant Contact list in step with the customers of a Kibo eCommerce store."""

__version__ = "0.2.0"
