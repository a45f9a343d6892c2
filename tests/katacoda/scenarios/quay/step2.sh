echo starting the second step
