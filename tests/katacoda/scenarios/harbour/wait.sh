while [ ! -f /tmp/harbour-ready ]; do sleep 1; done
export BERTH=7
cd /tmp
echo The harbour is open
