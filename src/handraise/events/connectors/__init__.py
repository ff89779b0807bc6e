"""CRM and billing tables, as the common connectors lay them out, translated to canonical inputs."""
