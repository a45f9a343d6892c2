"""`openssl genrsa | genpkey | ecparam | rsa | ec | pkey` (apps/genrsa.c, genpkey.c, ecparam.c, rsa.c, ec.c, pkey.c)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from ...host import rsakeys
from ...host.invocation import Call
from ...host.program import Sleep, Wait
from ...kernel.clock import MS
from ...kernel.errors import NotSimulated
from .options import Options, Wrong, cannot_open, number, parse, thread, unreadable
from .text import block, curve_text, point

Code = Generator[Wait, Any, int]
CURVES: dict[str, type[ec.EllipticCurve]] = {
    "prime256v1": ec.SECP256R1, "P-256": ec.SECP256R1, "secp256r1": ec.SECP256R1, "secp384r1": ec.SECP384R1, "P-384": ec.SECP384R1,
    "secp521r1": ec.SECP521R1, "P-521": ec.SECP521R1,
}  # fmt: skip
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8, TRADITIONAL = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
PUBLIC = serialization.PublicFormat.SubjectPublicKeyInfo
CIPHERS = "aes128 aes192 aes256 des des3 camellia256 aes-256-cbc aes-128-cbc"


# -- making ---------------------------------------------------------------------------------------------------------------


def make_rsa(call: Call, bits: int) -> Generator[Wait, Any, rsa.RSAPrivateKey]:
    """A new RSA key; it takes time by its size.  Raises Wrong for sizes that are not made."""
    if bits < rsakeys.MIN_BITS:
        where = "Provider routines:rsa_gen_set_params:key size too small:../providers/implementations/keymgmt/rsa_kmgmt.c:509:"
        raise Wrong(f"Error setting RSA length\n{thread(call)}:error:1C8000AB:{where}\n")
    if bits > rsakeys.MAX_BITS:
        raise NotSimulated(f"RSA keys of more than {rsakeys.MAX_BITS} bits")
    key = rsakeys.new_rsa(call.world.rng("openssl"), bits)
    yield Sleep(bits * bits // 2048 * MS // 24)
    return key


def make_ec(call: Call, curve: str) -> ec.EllipticCurvePrivateKey:
    """A new EC key; raises Wrong for a curve that is not known."""
    if curve not in CURVES:
        mark = thread(call)
        raise Wrong(
            f"unable to generate key\n{mark}:error:0800008D:elliptic curve routines:group_new_from_name:invalid curve:../crypto/ec/ec_lib.c:1490:\n"
        )
    kind = CURVES[curve]()
    return ec.derive_private_key(
        int.from_bytes(_bytes(call, (kind.key_size + 7) // 8), "big") % (1 << (kind.key_size - 1)) + 1, kind
    )


def _bytes(call: Call, count: int) -> bytes:
    rng = call.world.rng("openssl")
    return b"".join(rng.bits64().to_bytes(8, "big") for _ in range((count + 7) // 8))[:count]


def private_pem(key: Any, traditional: bool = False) -> bytes:
    """An unencrypted private key: PKCS #8, or the older form of its kind."""
    return bytes(key.private_bytes(PEM, TRADITIONAL if traditional else PKCS8, serialization.NoEncryption()))


def give(call: Call, path: str, data: bytes, mode: int | None = None) -> None:
    """Write to a file, or to standard output; raises Wrong."""
    if not path or path == "-":
        call.out(data)
        return
    try:
        call.write_file(path, data, mode=mode)
    except OSError as failed:
        raise Wrong(cannot_open(call, path, failed.strerror, "writing")) from None


def genrsa(call: Call, words: list[str]) -> Code:
    """`openssl genrsa [-out FILE] [-traditional] [BITS]`."""
    try:
        asked = parse("genrsa", words, "out", "traditional verbose F4 f4 3", not_yet=f"{CIPHERS} passout", other="cipher")
        bits = number("genrsa", asked.rest[0]) if asked.rest else 2048
        key = yield from make_rsa(call, bits)
        give(call, asked.text("out"), private_pem(key, asked.on("traditional")), 0o600)
    except Wrong as wrong:
        call.err(str(wrong))
        return 1
    return 0


def genpkey(call: Call, words: list[str]) -> Code:
    """`openssl genpkey -algorithm RSA|EC|ED25519 [-pkeyopt NAME:VALUE]`."""
    try:
        asked = parse(
            "genpkey", words, "algorithm out outform pkeyopt", "text quiet verbose", not_yet=f"{CIPHERS} pass paramfile genparam"
        )
        settings = dict(item.split(":", 1) for item in asked.values.get("pkeyopt", []) if ":" in item)
        algorithm = asked.text("algorithm").upper()
        key: Any
        if algorithm == "RSA":
            key = yield from make_rsa(call, number("genpkey", settings.get("rsa_keygen_bits", "2048")))
        elif algorithm == "EC":
            key = make_ec(call, settings.get("ec_paramgen_curve", ""))
        elif algorithm == "ED25519":
            key = ed25519.Ed25519PrivateKey.from_private_bytes(_bytes(call, 32))
        elif not algorithm:
            raise Wrong("genpkey: Use -help for summary.\n")
        else:
            raise NotSimulated(f"openssl genpkey -algorithm {asked.text('algorithm')}")
        give(call, asked.text("out"), private_pem(key), 0o600)
    except Wrong as wrong:
        call.err(str(wrong))
        return 1
    return 0


def ecparam(call: Call, words: list[str]) -> Code:
    """`openssl ecparam -name CURVE [-genkey] [-noout] [-out FILE]`, and `-list_curves`."""
    yield from ()
    try:
        asked = parse("ecparam", words, "name out in", "genkey noout list_curves", not_yet="text check outform inform")
        if asked.on("list_curves"):
            raise NotSimulated("openssl ecparam -list_curves")
        key = make_ec(call, asked.text("name"))
        out = b"" if asked.on("noout") else parameters(key)
        if asked.on("genkey"):
            out += private_pem(key, traditional=True)
        give(call, asked.text("out"), out)
    except Wrong as wrong:
        call.err(str(wrong))
        return 1
    return 0


def parameters(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The curve of a key as `EC PARAMETERS`."""
    named = {"secp256r1": "BggqhkjOPQMBBw==", "secp384r1": "BgUrgQQAIg==", "secp521r1": "BgUrgQQAIw=="}[key.curve.name]
    return f"-----BEGIN EC PARAMETERS-----\n{named}\n-----END EC PARAMETERS-----\n".encode()


# -- reading --------------------------------------------------------------------------------------------------------------


def load_private(data: bytes) -> Any:
    """The private key in PEM or DER; raises ValueError."""
    try:
        if b"-----BEGIN" in data:
            return serialization.load_pem_private_key(data[data.index(b"-----BEGIN") :] if b"EC PARAMETERS" not in data else
                                                      data[data.rindex(b"-----BEGIN") :], None)  # fmt: skip
        return serialization.load_der_private_key(data, None)
    except TypeError:
        raise NotSimulated("encrypted private keys") from None


def load_public(data: bytes) -> Any:
    """The public key in PEM or DER; raises ValueError."""
    return serialization.load_pem_public_key(data) if b"-----BEGIN" in data else serialization.load_der_public_key(data)


def _command(call: Call, command: str, words: list[str]) -> Code:
    try:
        asked = parse(command, words, "in out inform outform", "pubin pubout noout text check modulus param_out conv_form text_pub pubcheck traditional",
                      not_yet=f"{CIPHERS} passin passout", other="cipher")  # fmt: skip
        return (yield from _show(call, command, asked))
    except Wrong as wrong:
        call.err(str(wrong))
        return 1


def _show(call: Call, command: str, asked: Options) -> Code:
    source = asked.text("in")
    public = asked.on("pubin")
    what = "public key" if public else "private key"
    try:
        data = call.read_file(source) if source not in ("", "-", "/dev/stdin") else (yield from call.read())
        key = load_public(data) if public else load_private(data)
    except OSError as failed:
        return unreadable(call, what, source, failed.strerror, ending=False)
    except ValueError:
        return unreadable(call, what, source or "<stdin>", "", ending=False)
    wanted: Any = {
        "rsa": (rsa.RSAPrivateKey, rsa.RSAPublicKey),
        "ec": (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey),
    }.get(command)
    if wanted and not isinstance(key, wanted):
        call.err(f"Not an {command.upper()} key\n")
        return 1
    if command == "ec":
        call.err("read EC key\n")
    parts = []
    if asked.on("text"):
        parts.append(private_text(key).encode())
    if asked.on("modulus") and command == "rsa":
        parts.append(f"Modulus={(key if public else key.public_key()).public_numbers().n:X}\n".encode())
    if asked.on("check"):
        parts.append(b"RSA key ok\n" if command == "rsa" else b"EC Key valid.\n" if command == "ec" else b"Key is valid\n")
    if not asked.on("noout"):
        if command in ("rsa", "ec"):
            call.err(f"writing {command.upper()} key\n")
        der = asked.text("outform").upper() == "DER"
        if public or asked.on("pubout"):
            parts.append((key if public else key.public_key()).public_bytes(DER if der else PEM, PUBLIC))
        elif der:
            parts.append(key.private_bytes(DER, TRADITIONAL if command != "pkey" else PKCS8, serialization.NoEncryption()))
        else:
            parts.append(private_pem(key, command == "ec" or asked.on("traditional")))
    give(call, asked.text("out"), b"".join(parts))
    return 0


def _number(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    data = value.to_bytes(size, "big")
    return b"\0" + data if data[0] & 0x80 else data


def private_text(key: Any) -> str:
    """What `-text` prints of a key, private or public."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        named = (("privateExponent", numbers.d), ("prime1", numbers.p), ("prime2", numbers.q), ("exponent1", numbers.dmp1),
                 ("exponent2", numbers.dmq1), ("coefficient", numbers.iqmp))  # fmt: skip
        public = numbers.public_numbers
        return (f"Private-Key: ({key.key_size} bit, 2 primes)\nmodulus:\n{block(_number(public.n), 4, 15)}publicExponent: {public.e} (0x{public.e:x})\n"
                + "".join(f"{name}:\n{block(_number(value), 4, 15)}" for name, value in named))  # fmt: skip
    if isinstance(key, rsa.RSAPublicKey):
        shown = key.public_numbers()
        return (
            f"Public-Key: ({key.key_size} bit)\nModulus:\n{block(_number(shown.n), 4, 15)}Exponent: {shown.e} (0x{shown.e:x})\n"
        )
    if isinstance(key, ec.EllipticCurvePrivateKey):
        secret = key.private_numbers().private_value.to_bytes((key.key_size + 7) // 8, "big")
        half = key.public_key()
        return f"Private-Key: ({key.key_size} bit)\npriv:\n{block(secret, 4, 15)}pub:\n{block(point(half), 4, 15)}{curve_text(half, 0)}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"Public-Key: ({key.key_size} bit)\npub:\n{block(point(key), 4, 15)}{curve_text(key, 0)}"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raw = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
        shown_public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"ED25519 Private-Key:\npriv:\n{block(raw, 4, 15)}pub:\n{block(shown_public, 4, 15)}"
    raise NotSimulated("openssl -text of this kind of key")


def rsa_command(call: Call, words: list[str]) -> Code:
    """`openssl rsa`."""
    return (yield from _command(call, "rsa", words))


def ec_command(call: Call, words: list[str]) -> Code:
    """`openssl ec`."""
    return (yield from _command(call, "ec", words))


def pkey(call: Call, words: list[str]) -> Code:
    """`openssl pkey`."""
    return (yield from _command(call, "pkey", words))
