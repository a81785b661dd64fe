"""Draw the dashboard as a real Prometheus fills it, with logins to a real authenticator."""
