grep -q quay /quay/name && echo "done"
