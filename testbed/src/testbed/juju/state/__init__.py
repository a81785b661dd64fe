"""What the controller stores about a model: plain data, and rules about that data alone."""
