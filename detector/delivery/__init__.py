"""From a stored event to an endpoint that has accepted it: CloudEvents, signature, retries, courier."""
