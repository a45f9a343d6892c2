# Variables, plug-ins, configurations, schemas and build metadata of kustomizations; `bash plugins.sh N` builds the case N.
# What the real kubectl v1.36 (kustomize v5.8) says stands in plugins.json.
mkdir -p base
cat > base/d.yaml <<X
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.25
        command: ["echo", "\$(SVC)", "\$(NS):\$(PORT)", "\$\$(SVC)", "\$(NOPE)"]
        args: ["--x=\$(SVC)"]
        env: [{name: A, value: "\$(SVC).\$(NS)"},{name: N, value: "\$(PORT)"}]
        volumeMounts: [{name: v, mountPath: "/\$(SVC)"}]
      volumes: [{name: v, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, annotations: {note: "\$(SVC)"}}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {k: "\$(SVC)", url: "http://x"}
X
K=base/kustomization.yaml
b() { kubectl kustomize "${1:-base}"; }
case $1 in
1) printf 'resources: [d.yaml]\nnamePrefix: p-\nvars:\n- name: SVC\n  objref: {kind: Service, name: web, apiVersion: v1}\n- name: NS\n  objref: {kind: Service, name: web, apiVersion: v1}\n  fieldref: {fieldpath: metadata.namespace}\n- name: PORT\n  objref: {kind: Service, name: web, apiVersion: v1}\n  fieldref: {fieldpath: "spec.ports[0].port"}\n' > $K; b;;
2) printf 'resources: [d.yaml]\nvars:\n- name: SVC\n  objref: {kind: Service, name: nope, apiVersion: v1}\n' > $K; b;;
3) printf 'resources: [d.yaml]\nvars:\n- name: SVC\n  objref: {kind: Service, name: web, apiVersion: v1}\n- name: SVC\n  objref: {kind: ConfigMap, name: conf, apiVersion: v1}\n' > $K; b;;
4) printf 'resources: [d.yaml]\nvars:\n- name: SVC\n  objref: {kind: Service, name: web, apiVersion: v1}\n  fieldref: {fieldpath: spec.nope}\n' > $K; b;;
5) printf 'resources: [d.yaml]\nvars:\n- name: UNUSED\n  objref: {kind: Service, name: web, apiVersion: v1}\n' > $K; b;;
6) printf 'resources: [d.yaml]\nbuildMetadata: [managedByLabel]\n' > $K; b;;
7) printf 'resources: [d.yaml]\nbuildMetadata: [originAnnotations]\nconfigMapGenerator: [{name: g, literals: [a=b]}]\n' > $K; b;;
8) printf 'resources: [d.yaml]\nnamePrefix: x-\nbuildMetadata: [transformerAnnotations]\n' > $K; b;;
9) printf 'resources: [d.yaml]\nbuildMetadata: [nope]\n' > $K; b;;
10) printf 'resources: [d.yaml]\nhelmCharts:\n- name: c\n  repo: https://x.com\n  version: 1.0.0\n' > $K; b;;
11) printf 'resources: [d.yaml]\nhelmGlobals: {chartHome: charts}\n' > $K; b;;
12) printf 'resources: [d.yaml]\ntransformers: [t.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: pre-\nfieldSpecs: [{path: metadata/name}]\n' > base/t.yaml; b;;
13) printf 'resources: [d.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: LabelTransformer\n  metadata: {name: l}\n  labels: {team: a}\n  fieldSpecs: [{path: metadata/labels, create: true},{path: spec/template/metadata/labels, create: true, kind: Deployment}]\n- |-\n  apiVersion: builtin\n  kind: AnnotationsTransformer\n  metadata: {name: a}\n  annotations: {who: me}\n  fieldSpecs: [{path: metadata/annotations, create: true}]\n' > $K; b;;
14) printf 'resources: [d.yaml]\ntransformers: [t.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: NamespaceTransformer\nmetadata: {name: n, namespace: there}\nsetRoleBindingSubjects: defaultOnly\nunsetOnly: true\nfieldSpecs: [{path: metadata/namespace, create: true}]\n---\napiVersion: builtin\nkind: ImageTagTransformer\nmetadata: {name: i}\nimageTag: {name: nginx, newTag: v9}\n---\napiVersion: builtin\nkind: ReplicaCountTransformer\nmetadata: {name: r}\nreplica: {name: web, count: 7}\nfieldSpecs: [{path: spec/replicas, kind: Deployment, create: true}]\n' > base/t.yaml; b;;
15) printf 'resources: [d.yaml]\ntransformers: [t.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: n}\ntarget: {kind: Deployment}\npatch: |-\n  [{"op": "replace", "path": "/spec/replicas", "value": 4}]\n---\napiVersion: builtin\nkind: PatchJson6902Transformer\nmetadata: {name: j}\ntarget: {group: apps, version: v1, kind: Deployment, name: web}\njsonOp: |-\n  [{"op": "add", "path": "/metadata/labels/z", "value": "q"}]\n---\napiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: s}\npaths: [p.yaml]\n' > base/t.yaml; printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {paused: true}\n' > base/p.yaml; b;;
16) printf 'resources: [d.yaml]\ntransformers: [t.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: SuffixTransformer\nmetadata: {name: p}\nsuffix: -v1\nfieldSpecs: [{path: metadata/name}]\n---\napiVersion: builtin\nkind: ReplacementTransformer\nmetadata: {name: rep}\nreplacements:\n- source: {kind: Service, fieldPath: spec.ports.0.port}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.k]}]\n' > base/t.yaml; b;;
17) printf 'resources: [d.yaml]\ngenerators: [g.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: gen, namespace: q}\nliterals: [a=b]\n---\napiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: sec}\nliterals: [a=b]\ntype: Opaque\n' > base/g.yaml; b;;
18) printf 'resources: [d.yaml]\ntransformers: [t.yaml]\n' > $K; printf 'apiVersion: foo.com/v1\nkind: Mine\nmetadata: {name: n}\n' > base/t.yaml; b;;
19) printf 'resources: [d.yaml]\ntransformers: [t.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: NopeTransformer\nmetadata: {name: n}\n' > base/t.yaml; b;;
20) printf 'resources: [d.yaml]\nvalidators: [t.yaml]\n' > $K; printf 'apiVersion: foo.com/v1\nkind: Mine\nmetadata: {name: n}\n' > base/t.yaml; b;;
21) printf 'resources: [d.yaml, c.yaml]\nnamePrefix: p-\nconfigurations: [conf.yaml]\n' > $K; printf 'apiVersion: x.com/v1\nkind: Boat\nmetadata: {name: b}\nspec: {cm: conf, img: [{image: nginx:1}], list: [{name: conf}]}\n' > base/c.yaml; printf 'nameReference:\n- kind: ConfigMap\n  fieldSpecs: [{path: spec/cm, kind: Boat},{path: spec/list/name, kind: Boat}]\nimages: [{path: "spec/img[]/image", kind: Boat}]\n' > base/conf.yaml; b;;
22) printf 'resources: [d.yaml, c.yaml]\ncommonLabels: {a: b}\nnamespace: nn\nconfigurations: [conf.yaml]\nimages: [{name: nginx, newTag: "2"}]\nreplicas: [{name: b, count: 5}]\n' > $K; printf 'apiVersion: x.com/v1\nkind: Boat\nmetadata: {name: b}\nspec: {sel: {x: y}, img: [{image: nginx:1}], n: 1, ns: q}\n' > base/c.yaml; printf 'commonLabels: [{path: spec/sel, kind: Boat, create: true}]\nimages: [{path: "spec/img[]/image", kind: Boat}]\nreplicas: [{path: spec/n, kind: Boat}]\nnamespace: [{path: spec/ns, kind: Boat}]\ncommonAnnotations: []\n' > base/conf.yaml; b;;
23) printf 'resources: [d.yaml]\nnamePrefix: p-\nconfigurations: [conf.yaml]\nvars:\n- name: SVC\n  objref: {kind: Service, name: web, apiVersion: v1}\n' > $K;  printf 'varReference: [{path: data/k, kind: ConfigMap},{path: metadata/annotations, kind: Service}]\nnamePrefix: [{path: metadata/name, kind: ConfigMap}]\n' > base/conf.yaml; b;;
24) printf 'resources: [d.yaml]\nconfigurations: [nope.yaml]\n' > $K; b;;
25) printf 'resources: [d.yaml]\nconfigurations: [conf.yaml]\n' > $K; printf 'bogus: 1\n' > base/conf.yaml; b;;
26) printf 'resources: [d.yaml, c.yaml]\nnamePrefix: p-\ncrds: [crd.json]\n' > $K; printf 'apiVersion: x.com/v1\nkind: Boat\nmetadata: {name: b}\nspec: {cmRef: {name: conf}}\n' > base/c.yaml; printf '{"github.com/x.Boat":{"Schema":{"properties":{"apiVersion":{"type":"string"},"kind":{"type":"string"},"metadata":{"$ref":"k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta"},"spec":{"$ref":"github.com/x.BoatSpec"}}}},"github.com/x.BoatSpec":{"Schema":{"properties":{"cmRef":{"x-kubernetes-object-ref-api-version":"v1","x-kubernetes-object-ref-kind":"ConfigMap","$ref":"github.com/x.Ref"}}}},"github.com/x.Ref":{"Schema":{"properties":{"name":{"type":"string"}}}}}' > base/crd.json; b;;
27) printf 'resources: [d.yaml]\ncrds: [nope.json]\n' > $K; b;;
28) printf 'resources: [d.yaml, c.yaml]\nopenapi: {path: o.json}\npatches: [{patch: "apiVersion: x.com/v1\\nkind: Boat\\nmetadata: {name: b}\\nspec: {list: [{name: a, v: 2}]}"}]\n' > $K; printf 'apiVersion: x.com/v1\nkind: Boat\nmetadata: {name: b}\nspec: {list: [{name: a, v: 1, w: 3},{name: c, v: 1}]}\n' > base/c.yaml; printf '{"definitions":{"v1.Boat":{"properties":{"apiVersion":{"type":"string"},"kind":{"type":"string"},"metadata":{"type":"object"},"spec":{"properties":{"list":{"type":"array","items":{"type":"object"},"x-kubernetes-patch-merge-key":"name","x-kubernetes-patch-strategy":"merge"}}}},"x-kubernetes-group-version-kind":[{"group":"x.com","kind":"Boat","version":"v1"}]}}}' > base/o.json; b;;
29) printf 'resources: [d.yaml]\nopenapi: {path: nope.json}\n' > $K; b;;
30) printf 'resources: [d.yaml]\nopenapi: {version: v9}\n' > $K; b;;
31) printf 'resources: [d.yaml]\ntransformers: [nope.yaml]\n' > $K; b;;
32) mkdir over; printf 'resources: [d.yaml]\nvars:\n- name: SVC\n  objref: {kind: Service, name: web, apiVersion: v1}\n' > $K; printf 'resources: [../base]\nnameSuffix: -o\nvars:\n- name: NS\n  objref: {kind: Service, name: web, apiVersion: v1}\n  fieldref: {fieldpath: metadata.namespace}\nbuildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]\n' > over/kustomization.yaml; b over;;
33) printf 'resources: [../x.yaml]\n' > $K; cp base/d.yaml x.yaml; kubectl kustomize --load-restrictor LoadRestrictionsNone base;  kubectl kustomize --load-restrictor=Nope base; kubectl kustomize base;;
34) printf 'resources: [d.yaml]\ngenerators: [../g]\n' > $K; mkdir g; printf 'resources: [g.yaml]\n' > g/kustomization.yaml; printf 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: gen}\nliterals: [a=b]\n' > g/g.yaml; b;;
35) printf 'resources: [d.yaml]\ntransformers: [t.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: 5\nnope: 1\n' > base/t.yaml; b;;
36) printf 'resources: [d.yaml]\ntransformers: [t.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: HashTransformer\nmetadata: {name: p}\n---\napiVersion: builtin\nkind: ValueAddTransformer\nmetadata: {name: v}\nvalue: "abc"\ntargets: [{selector: {kind: Deployment}, fieldPath: metadata/name, filePathPosition: 0}]\n' > base/t.yaml; b;;
37) printf 'resources: [d.yaml]\ngenerators: [g.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: h}\nname: c\nrepo: https://x\n' > base/g.yaml; b;;
38) printf 'resources: [d.yaml]\ntransformers: [t.yaml]\n' > $K; printf 'apiVersion: v1\nkind: T\nmetadata: {name: p, annotations: {config.kubernetes.io/function: "container: {image: x}"}}\n' > base/t.yaml; b;;
39) printf 'resources: [d.yaml]\nhelmChartInflationGenerator: [{chartName: a}]\n' > $K; b;;
40) printf 'resources: [d.yaml]\nvars: [{name: SVC}]\n' > $K; b;;
41) printf 'resources: [d.yaml]\nvars: nope\n' > $K; b;;
43) printf 'resources: [d.yaml]\ngenerators: [g.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: gen}\nliterals: [a=b]\noptions: {disableNameSuffixHash: true, labels: {l: m}}\nbehavior: merge\n' > base/g.yaml; b;;
44) printf 'resources: [d.yaml]\nsortOptions: {order: fifo}\ntransformers: [t.yaml]\n' > $K; printf 'apiVersion: builtin\nkind: SortOrderTransformer\nmetadata: {name: p}\nsortOptions: {order: legacy, legacySortOptions: {orderFirst: [Service], orderLast: [ConfigMap]}}\n' > base/t.yaml; b;;
esac
