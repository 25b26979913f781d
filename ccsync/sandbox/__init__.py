"""Both vendors simulated over real HTTP on loopback; shares no code with the product."""
