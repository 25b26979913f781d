"""How an application is let in."""
