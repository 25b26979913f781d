"""The sign-in of an application."""
