"""Learning records: what happened, said in xAPI to the learning record store that the operator configured."""
