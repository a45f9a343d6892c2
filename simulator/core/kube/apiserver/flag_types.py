"""What type each flag of the API server has that is not plain text, as pflag checks it (`cmd/kube-apiserver/app/options`)."""

from __future__ import annotations

_BY_TYPE = {
    "bool": """
        aggregator-reject-forwarding-redirect allow-privileged anonymous-auth audit-log-batch-throttle-enable audit-log-compress
        audit-log-truncate-enabled audit-webhook-batch-throttle-enable audit-webhook-truncate-enabled authentication-skip-lookup
        authentication-tolerate-lookup-failure contention-profiling disable-http2-serving emulation-forward-compatible
        enable-aggregator-routing enable-bootstrap-token-auth enable-garbage-collector enable-logs-handler enable-priority-and-fairness
        encryption-provider-config-automatic-reload help log-json-split-stream log-text-split-stream permit-address-sharing
        permit-port-sharing profiling runtime-config-emulation-forward-compatible send-retry-after-while-not-ready-once
        service-account-extend-token-expiration service-account-lookup shutdown-send-retry-after version watch-cache""",
    "int": """
        apiserver-count audit-log-batch-buffer-size audit-log-batch-max-size audit-log-batch-throttle-burst audit-log-maxage
        audit-log-maxbackup audit-log-maxsize audit-log-truncate-max-batch-size audit-log-truncate-max-event-size
        audit-webhook-batch-buffer-size audit-webhook-batch-max-size audit-webhook-batch-throttle-burst
        audit-webhook-truncate-max-batch-size audit-webhook-truncate-max-event-size default-not-ready-toleration-seconds
        default-unreachable-toleration-seconds default-watch-cache-size delete-collection-workers http2-max-streams-per-connection
        kubelet-port kubelet-read-only-port kubernetes-service-node-port lease-reuse-duration-seconds max-connection-bytes-per-sec
        max-mutating-requests-inflight max-requests-inflight min-request-timeout secure-port v""",
    "float32": "audit-log-batch-throttle-qps audit-webhook-batch-throttle-qps goaway-chance",
    "duration": """
        audit-log-batch-max-wait audit-webhook-batch-max-wait audit-webhook-initial-backoff authentication-token-webhook-cache-ttl
        authorization-webhook-cache-authorized-ttl authorization-webhook-cache-unauthorized-ttl coordinated-leadership-lease-duration
        coordinated-leadership-renew-deadline coordinated-leadership-retry-period etcd-compaction-interval
        etcd-count-metric-poll-period etcd-db-metric-poll-interval etcd-healthcheck-timeout etcd-readycheck-timeout event-ttl
        kubelet-timeout livez-grace-period log-flush-frequency request-timeout service-account-max-token-expiration
        shutdown-delay-duration shutdown-watch-termination-grace-period storage-initialization-timeout""",
    "ip": "advertise-address bind-address",
}

#: Flag → bool, int, float32, duration or ip; others are text or have a check of their own.
TYPES: dict[str, str] = {name: kind for kind, names in _BY_TYPE.items() for name in names.split()}
