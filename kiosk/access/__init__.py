"""Who may ask for what: tokens, tenants and their quotas, and how often."""
