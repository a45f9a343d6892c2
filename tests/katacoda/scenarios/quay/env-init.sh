mkdir -p /quay
