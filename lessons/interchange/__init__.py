"""Questions from and for other systems: GIFT, QTI, and the sets in which instructors keep what they brought."""
