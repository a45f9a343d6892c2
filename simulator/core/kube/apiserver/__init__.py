"""The API server: a request passes authentication, authorisation, decoding, admission, the registry and storage."""
