"""What differs between two runs of the same real cluster, taken out of a text before texts are compared.

Placeholders carry no number: equality between two generated values is not checked.  Runs of blanks inside a line become two, because the
width of a column depends on generated names.
"""

from __future__ import annotations

import re

#: The alphabet of generated names (`apimachinery/pkg/util/rand`).
SAFE = "bcdfghjklmnpqrstvwxz2456789"
AGE = r"(?:\d+[ydhms]){1,2}"

IDENTIFIERS = (
    (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>"),
    (r"\beyJ[\w-]+\.[\w-]+\.[\w-]+", "<jwt>"),
    (r"\bcontainerd://[0-9a-f]{64}", "<container>"),
    (r"\b(sha256:|X509SHA256=)[0-9a-f]{64}", r"\1<sha256>"),
    (r"\b0x[0-9a-f]{6,16}\b", "<pointer>"),
    (r"(LocalAddr: '127\.0\.0\.1:)\d+", r"\1<port>"),
    (r"(?s)-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", r"<pem \1>"),
    (r"\bLS0tLS1CRUdJTi[\w+/=]{100,}", "<pem>"),
    (r"(?<=\.)[0-9a-f]{16}\b", "<event>"),
)
TIMES = (
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)", "<time>"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})?", "<time>"),
    (r"\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
    (r"(?m)^([EWIF])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ ([\w.]+:)\d+\]", r"\1<klog> \2<line>]"),
    (r'("ts":)"?[^",]*"?', r"\1<time>"),
    (
        r"in [\d.]+m?s \([\d.]+m?s including waiting\)\. Image size: \d+ bytes",
        "in <time> (<time> including waiting). Image size: <n> bytes",
    ),
)
#: Last, because what came before may look like one.
AGES = (
    (r"(?<![\w.:/=-])" + AGE + r"(?: \(x\d+ over " + AGE + r"\))?(?= ago\)|\s|$)", "<age>"),
    (r"<invalid>", "<age>"),
)
NUMBERS = (
    (r'(resourceVersion\\?"?: ?\\?"?)\d+', r"\1<version>"),
    (r"(resourceVersion=|Resource Version: +)\d+", r"\1<version>"),
    (r"/tmp/kubectl-edit-\d+", "/tmp/kubectl-edit-<n>"),
    (r"/tmp/(LIVE|MERGED)-\d+", r"/tmp/\1-<n>"),
    (r"(?<=:)3[0-2]\d{3}(?=/(?:TCP|UDP))", "<node port>"),
    (r'((?:nodePort"?: ?)|NodePort: +\S+ +)3[0-2]\d{3}', r"\1<node port>"),
)
NAMES = (
    (rf"(?<=[a-z0-9]-)[{SAFE}]{{7,10}}(?=-[{SAFE}]{{5}}(?![\w-]))", "<hash>"),
    (rf"(?<=[a-z0-9]-)(?=[{SAFE}]*\d)[{SAFE}]{{8,10}}(?![\w-])", "<hash>"),
    (rf'(pod-template-hash"?[=:] ?"?)[{SAFE}]+', r"\1<hash>"),
    (rf'(controller-revision-hash"?[=:] ?"?(?:[a-z0-9-]+-)?)[{SAFE}]{{7,10}}', r"\1<hash>"),
    (rf"(?<=[a-z0-9>]-)[{SAFE}]{{5}}(?![\w-])", "<random>"),
)
ADDRESSES = (
    (r"(?:https://)?\b(?:\d{1,3}\.){3}\d{1,3}:6443\b", "<server>"),
    (r"\b172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+\b", "<node address>"),
    (r"\b192\.168\.\d+\.\d+(?!/|\.\d)\b", "<pod address>"),
    (r"\b10\.(?:9[6-9]|10\d|11[01])\.\d+\.\d+\b(?<!10\.96\.0\.1)(?<!10\.96\.0\.10)", "<service address>"),
    (r"\bnode0[12]\b", "<worker>"),  # the scheduler breaks ties at random
)
ETCD = (
    (r'("(?:cluster_id|member_id|raft_term|lease)": ?"?)-?\d+', r"\1<n>"),
    (r'"(ClusterID|MemberID|RaftTerm|Lease|ID)" : \d+', r'"\1" : <n>'),
    (r"\b[0-9a-f]{15,16}\b", "<id>"),
    (r"\b\d{17,20}\b", "<id>"),
)


def _compiled(*groups: tuple[tuple[str, str], ...]) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(pattern), text) for group in groups for pattern, text in group]


RULES = _compiled(IDENTIFIERS, TIMES, NUMBERS, NAMES, ADDRESSES, AGES)
ETCD_RULES = _compiled(ETCD)


def normalise(text: str, *, etcd: bool = False) -> str:
    """The text without what two runs may differ in."""
    for pattern, replacement in RULES + (ETCD_RULES if etcd else []):
        text = pattern.sub(replacement, text)
    return "\n".join(re.sub(r"(\S) {2,}", r"\1  ", line).rstrip() for line in text.split("\n"))
