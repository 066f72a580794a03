"""All SQL of the product (SQLAlchemy Core): problems, events, deliveries, camera ownership."""
