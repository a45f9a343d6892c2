"""The MVCC store against a reference model, and etcd's texts at its edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.core.etcd.errors import Compacted, EtcdError
from simulator.core.etcd.mvcc import Compare, Op, Store, StoreState, prefix_end

KEYS = st.sampled_from([b"a", b"ab", b"abc", b"b", b"\xff", b"b\xff"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.binary(max_size=3)),
        st.tuples(st.just("delete"), KEYS, KEYS),
        st.tuples(st.just("compact"), st.integers(1, 30), st.none()),
    ),
    max_size=40,
)


class Reference:
    """Every revision's whole content, kept plainly."""

    def __init__(self) -> None:
        self.at: dict[int, dict[bytes, bytes]] = {1: {}}
        self.events: list[tuple[int, str, bytes, bytes]] = []
        self.revision, self.compacted = 1, 0

    def put(self, key: bytes, value: bytes) -> None:
        self.revision += 1
        self.at[self.revision] = {**self.at[self.revision - 1], key: value}
        self.events.append((self.revision, "PUT", key, value))

    def delete(self, low: bytes, high: bytes) -> None:
        gone = sorted(k for k in self.at[self.revision] if low <= k < high)
        if gone:
            self.revision += 1
            self.at[self.revision] = {k: v for k, v in self.at[self.revision - 1].items() if k not in gone}
            self.events += [(self.revision, "DELETE", k, b"") for k in gone]


def play(steps: list[tuple[str, object, object]]) -> tuple[Store, Reference]:
    store, model = Store(StoreState()), Reference()
    for kind, a, b in steps:
        if kind == "put":
            assert isinstance(a, bytes)
            assert isinstance(b, bytes)
            store.put(a, b)
            model.put(a, b)
        elif kind == "delete":
            assert isinstance(a, bytes)
            assert isinstance(b, bytes)
            store.delete(min(a, b), max(a, b) + b"\0")
            model.delete(min(a, b), max(a, b) + b"\0")
        else:
            assert isinstance(a, int)
            if model.compacted < a <= model.revision:
                store.compact(a)
                model.compacted = a
            else:
                with pytest.raises(EtcdError):
                    store.compact(a)
    return store, model


@given(STEPS)
def test_every_revision_that_is_kept_reads_as_it_was(steps: list[tuple[str, object, object]]) -> None:
    store, model = play(steps)
    assert store.state.revision == model.revision
    for revision in range(max(1, model.compacted), model.revision + 1):
        found = store.range(b"\0", b"\0", revision=revision)
        assert {kv.key: kv.value for kv in found.kvs} == model.at[revision]
        assert [kv.key for kv in found.kvs] == sorted(model.at[revision])
    for revision in range(1, model.compacted):
        with pytest.raises(Compacted):
            store.range(b"a", revision=revision)


@given(STEPS)
def test_a_watch_delivers_every_later_change_once_and_in_order(steps: list[tuple[str, object, object]]) -> None:
    store, model = play(steps)
    for since in range(max(1, model.compacted), model.revision + 1):
        got = [(e.kv.mod_revision, e.type, e.kv.key, e.kv.value) for e in store.events(b"", since)]
        assert got == [e for e in model.events if e[0] > since]


@given(STEPS)
def test_a_store_rebuilt_from_its_state_is_the_same(steps: list[tuple[str, object, object]]) -> None:
    store, _ = play(steps)
    again = Store(store.state)
    assert again.keys == store.keys
    assert again.versions == store.versions
    assert again.size == store.size


@given(st.binary(min_size=1, max_size=4), st.binary(max_size=6))
def test_prefix_end_bounds_exactly_the_keys_with_the_prefix(prefix: bytes, key: bytes) -> None:
    end = prefix_end(prefix)
    assert (key >= prefix and (end == b"\0" or key < end)) == key.startswith(prefix)


def test_versions_and_creation_start_again_after_a_deletion() -> None:
    store = Store(StoreState())
    store.put(b"k", b"1")
    store.put(b"k", b"2")
    store.delete(b"k")
    store.put(b"k", b"3")
    kv = store.get(b"k")
    assert kv is not None
    assert (kv.create_revision, kv.mod_revision, kv.version) == (5, 5, 1)


def test_a_transaction_has_one_revision_and_its_changes_keep_their_order() -> None:
    store = Store(StoreState())
    result = store.txn((), (Op(kind="put", key=b"b", value=b"1"), Op(kind="put", key=b"a", value=b"2")), ())
    assert result.succeeded
    assert result.revision == 2
    assert [e.kv.key for e in store.events(b"", 1)] == [b"b", b"a"]


def test_a_failed_comparison_runs_the_other_branch() -> None:
    store = Store(StoreState())
    store.put(b"stock", b"5")
    guard = (Compare(b"stock", "value", "=", b"4"),)
    result = store.txn(guard, (Op(kind="delete", key=b"stock"),), (Op(kind="range", key=b"stock"),))
    assert not result.succeeded
    assert result.revision == 2


def test_one_key_may_not_be_put_twice_in_a_transaction() -> None:
    store = Store(StoreState())
    with pytest.raises(EtcdError, match="etcdserver: duplicate key given in txn request"):
        store.txn((), (Op(kind="put", key=b"a"), Op(kind="put", key=b"a")), ())
    assert store.state.revision == 1


def test_revoking_a_lease_deletes_its_keys_in_one_revision() -> None:
    store = Store(StoreState())
    store.grant(7, 10, 0)
    store.put(b"a", b"", lease=7)
    store.put(b"b", b"", lease=7)
    assert store.revoke(7) == 2
    assert store.state.revision == 4
    with pytest.raises(EtcdError, match="requested lease not found"):
        store.put(b"c", b"", lease=7)


def test_texts_of_future_and_compacted_revisions() -> None:
    store = Store(StoreState())
    store.put(b"a", b"1")
    store.put(b"a", b"2")
    with pytest.raises(EtcdError, match="required revision is a future revision"):
        store.range(b"a", revision=99)
    store.compact(3)
    with pytest.raises(EtcdError, match="required revision has been compacted"):
        store.range(b"a", revision=2)
