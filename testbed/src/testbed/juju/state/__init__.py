"""What the controller keeps of a model: plain data, and the rules that are about data alone."""
