# Kustomizations of many forms; `bash cases.sh N` builds the case N.  What the real kubectl v1.32 (kustomize v5.5) says stands in said.json.
mkdir -p base comp over rep
cat > base/d.yaml <<X
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, annotations: {a: b}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: robot
      containers:
      - name: nginx
        image: nginx:1.25
        args: ["--host=old.example.com", "-v"]
        env: [{name: A, value: "1"},{name: C, valueFrom: {configMapKeyRef: {name: conf, key: a}}}]
        envFrom: [{secretRef: {name: sec}}]
        ports: [{containerPort: 80}]
      - {name: side, image: "redis@sha256:abc"}
      volumes: [{name: c, configMap: {name: conf}},{name: s, secret: {secretName: sec}},{name: p, persistentVolumeClaim: {claimName: data}}]
X
cat > base/s.yaml <<X
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rb}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: robot, namespace: x},{kind: ServiceAccount, name: default, namespace: x},{kind: User, name: jane}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r}
rules: [{apiGroups: [""], resources: [configmaps], resourceNames: [conf, other], verbs: [get]}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ing}
spec: {ingressClassName: nginx, tls: [{secretName: sec}], rules: [{host: a.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: h}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cj}
spec: {schedule: "* * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, envFrom: [{configMapRef: {name: conf}}]}]}}}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: old}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec: {serviceName: web, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: postgres}]}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], storageClassName: sc, resources: {requests: {storage: 1Gi}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: x}}}]}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: pdb}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {template: {spec: {containers: [{name: c, image: nginx}]}}, replicas: 2}
---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, image: "reg.io:5000/nginx"}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: j}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox:1.36}]}}}
X
printf 'a=1\n# c\n  b = 2\nc\n' > base/x.env
printf 'hello\n' > base/f.txt
cat > base/kustomization.yaml <<X
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [d.yaml, s.yaml]
configMapGenerator:
- name: conf
  literals: [a=1, 'q="x y"', "z='1'"]
  files: [f.txt, k=f.txt]
- name: plain
  envs: [x.env]
  options: {disableNameSuffixHash: true, labels: {l: m}, annotations: {note2: o}, immutable: true}
secretGenerator:
- name: sec
  literals: [p=q]
  type: kubernetes.io/tls
generatorOptions: {labels: {gen: "true"}}
X
cat > comp/kustomization.yaml <<X
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [cm.yaml]
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec: {template: {spec: {containers: [{name: nginx, env: [{name: B, value: "2"}]},{name: new, image: busybox}]}}}
configMapGenerator:
- {name: conf, behavior: merge, literals: [comp=1]}
X
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fromcomp}\ndata: {h: "x"}\n' > comp/cm.yaml
cat > over/kustomization.yaml <<X
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: prod
namePrefix: pre-
nameSuffix: -suf
resources: [../base]
components: [../comp]
labels:
- pairs: {team: t, app: over}
  includeSelectors: true
- pairs: {only: meta}
- pairs: {tmpl: yes1}
  includeTemplates: true
commonAnnotations: {note: hi}
images:
- {name: nginx, newTag: "1.26"}
- {name: redis, newName: valkey, newTag: "8"}
- {name: postgres, digest: "sha256:123"}
- {name: busybox, newName: my/busybox}
- {name: reg.io:5000/nginx, newTag: v1}
replicas: [{name: web, count: 4},{name: db, count: 2}]
patches:
- target: {kind: Deployment, name: we.*}
  patch: |-
    - op: replace
      path: /spec/template/spec/containers/0/image
      value: nginx:1.27
    - op: add
      path: /metadata/labels/x~1y
      value: z
- target: {labelSelector: app=web}
  patch: |-
    kind: any
    metadata: {name: any, annotations: {patched: "yes"}}
- patch: |-
    \$patch: delete
    apiVersion: v1
    kind: Pod
    metadata: {name: p}
- path: sm.yaml
configMapGenerator:
- {name: conf, behavior: merge, literals: [a=2]}
X
cat > over/sm.yaml <<X
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, ports: [{port: 80, targetPort: 8080},{port: 443, name: s}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {strategy: {type: Recreate}, template: {spec: {volumes: [{name: e, emptyDir: {}}], containers: [{name: side, \$patch: delete}], \$setElementOrder/containers: [{name: new},{name: nginx}]}}}
X
cat > rep/kustomization.yaml <<X
resources: [../base]
namePrefix: r-
replacements:
- source: {kind: Service, name: web, fieldPath: metadata.name}
  targets:
  - select: {kind: Deployment, name: web}
    fieldPaths: ["spec.template.spec.containers.[name=nginx].env.[name=A].value"]
- source: {kind: Deployment, name: web, fieldPath: spec.template.spec.containers.0.image, options: {delimiter: ":", index: 1}}
  targets:
  - select: {kind: Service}
    fieldPaths: [metadata.annotations.version]
    options: {create: true}
- source: {kind: Service, name: web, fieldPath: "spec.ports.0.port"}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ["spec.template.spec.containers.[name=nginx].ports.0.containerPort"]
  - select: {kind: StatefulSet}
    reject: [{name: nope}]
    fieldPaths: [spec.replicas]
    options: {create: true}
- source: {kind: ConfigMap, name: plain, fieldPath: data.a}
  targets:
  - select: {name: web, kind: Deployment}
    fieldPaths: ["spec.template.spec.containers.[name=nginx].args.0"]
    options: {delimiter: "=", index: 1}
X
one() { mkdir -p t; rm -f t/*; cat > t/kustomization.yaml; cp base/d.yaml base/s.yaml base/f.txt t/; echo "--- $1"; kubectl kustomize t; echo "rc=$?"; }
case $1 in
1) kubectl kustomize base;;
2) kubectl kustomize over;;
3) kubectl kustomize rep;;
4) printf 'resources: [../base]\nsortOptions: {order: fifo}\nnamespace: n2\n' > t.k; mkdir -p t; cp t.k t/kustomization.yaml; kubectl kustomize t;;
5) printf 'resources: [../base]\nsortOptions: {order: legacy, legacySortOptions: {orderFirst: [Job, Pod], orderLast: [Service]}}\nnamespace: n2\n' > t.k; mkdir -p t; cp t.k t/kustomization.yaml; kubectl kustomize t | grep ^kind;;
6) one a <<< 'resources: [nope.yaml]'; one b <<< 'resources: [d.yaml, d.yaml]'; one c <<< 'components: [../base]'; one d <<< 'resources: [../comp]'; one e <<< ''; one f <<< 'resorces: [d.yaml]'; one g <<< '{kind: X, apiVersion: v1, resources: [d.yaml]}'; one h <<< 'resources: [../base/d.yaml]'; one i <<< 'resources: [.]';;
7) one a <<< '{resources: [d.yaml], patches: [{path: nope.yaml}]}'; one b <<< '{resources: [d.yaml], patches: [{patch: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nope}"}]}'; one c <<< '{resources: [d.yaml], patches: [{patch: "- {op: remove, path: /spec/nope}", target: {kind: Deployment}}]}'; one d <<< '{resources: [d.yaml], patches: [{patch: "- {op: remove, path: /spec/replicas}"}]}'; one e <<< '{resources: [d.yaml], patches: [{patch: "garbage"}]}'; one f <<< '{resources: [d.yaml], patches: [{}]}'; one g <<< '{resources: [d.yaml], patches: [{patch: "- {op: remove, path: /spec/replicas}", target: {kind: Nope}}]}' | head -5; one h <<< '{resources: [d.yaml], patches: [{patch: "{kind: Deployment, apiVersion: apps/v1, metadata: {name: other}, spec: {replicas: 9}}", target: {kind: Deployment}, options: {allowNameChange: true}}]}' | head -9;;
8) one a <<< '{resources: [d.yaml], replicas: [{name: nope, count: 1}]}'; one b <<< '{configMapGenerator: [{name: x, literals: [a]}]}'; one c <<< '{configMapGenerator: [{name: x, files: [nope]}]}'; one d <<< '{configMapGenerator: [{name: x, literals: [a=1, a=2]}]}';one e <<< '{configMapGenerator: [{literals: [a=1]}]}'; one f <<< '{configMapGenerator: [{name: x, literals: [a=1]},{name: x, literals: [b=1]}]}'; one g <<< '{configMapGenerator: [{name: x, behavior: merge, literals: [a=1]}]}'; one h <<< '{configMapGenerator: [{name: x, envs: [nope.env]}]}'; one i <<< '{secretGenerator: [{name: x, files: [f.txt]}], namespace: q}'; one j <<< '{configMapGenerator: [{name: x}]}'; one k <<< '{configMapGenerator: [{name: x, literals: ["a=b=c","n=5","t=true","e="], namespace: zz}]}';;
9) one a <<< '{resources: [d.yaml], replacements: [{source: {kind: Nope}, targets: [{select: {kind: Deployment}}]}]}'; one b <<< '{resources: [d.yaml], replacements: [{source: {kind: Deployment, fieldPath: spec.nope}, targets: [{select: {kind: Deployment}}]}]}'; one c <<< '{resources: [d.yaml], replacements: [{source: {kind: Deployment, fieldPath: spec.replicas}, targets: [{select: {kind: Deployment}, fieldPaths: [spec.nope]}]}]}'; one d <<< '{resources: [d.yaml], replacements: [{source: {kind: Deployment}}]}'; one e <<< '{resources: [d.yaml], replacements: [{source: {kind: Deployment, fieldPath: spec.replicas}, targets: [{fieldPaths: [x]}]}]}'; one f <<< '{resources: [d.yaml,s.yaml], replacements: [{source: {version: v1}, targets: [{select: {kind: Deployment}}]}]}'; one g <<< '{resources: [d.yaml], replacements: [{source: {kind: Deployment, fieldPath: metadata.labels.app, options: {delimiter: "e", index: 5}}, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.annotations.a]}]}]}';;
10) one a <<< '{resources: [d.yaml], commonLabels: {x: z}, bases: []}' | head -20; one b <<< '{resources: [d.yaml], patchesStrategicMerge: ["{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 7}}"]}' | head -9; one c <<< '{resources: [d.yaml], patchesJson6902: [{target: {group: apps, version: v1, kind: Deployment, name: web}, patch: "[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":5}]"}]}' | head -9; one d <<< '{resources: [d.yaml], labels: [{pairs: {a: b}, fields: [{path: spec/custom/labels, create: true, kind: Deployment}]}]}' | grep -A9 custom; one e <<< '{resources: [d.yaml], images: [{name: nginx, newTag: v2, digest: "sha256:1"}]}' | grep image; one f <<< '{resources: [s.yaml], namespace: zz}';;
11) kubectl kustomize nope; mkdir -p emptyd; kubectl kustomize emptyd; kubectl kustomize a b; touch emptyd/kustomization.yml emptyd/Kustomization; kubectl kustomize emptyd; kubectl kustomize base/d.yaml; kubectl kustomize base -o out.yaml; wc -l < out.yaml; printf 'resources: [\n' > emptyd/kustomization.yml; rm emptyd/Kustomization;  kubectl kustomize emptyd; printf 'resources: x\n' > emptyd/kustomization.yml; kubectl kustomize emptyd; printf 'patches: [{target: {name: "("}, patch: "- {op: remove, path: /a}"}]\nresources: [../base]\n' > emptyd/kustomization.yml; kubectl kustomize emptyd;;
esac
