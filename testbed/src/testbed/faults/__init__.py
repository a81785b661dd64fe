"""What can go wrong between a charm and the API server, made to go wrong: see `intercepts`."""
