"""The YAML files of configs/, read once into frozen pydantic models; errors carry file, line and key."""
