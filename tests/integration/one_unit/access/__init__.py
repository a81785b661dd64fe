"""Who may log in, and with which rights: by the option, by actions, by mappings, by the pages."""
