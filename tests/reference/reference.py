"""What the scripts of this folder share: versions of the libraries, and the form of the JSON files."""

import json
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def versions(*packages: str) -> dict[str, str]:
    return {package: version(package) for package in packages}


def rounded(value, decimals: int = 8):
    """Numbers inside lists and dicts rounded; a negative zero becomes zero."""
    if isinstance(value, dict):
        return {key: rounded(item, decimals) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, decimals) for item in value]
    if isinstance(value, float):
        return round(value, decimals) + 0.0
    return value


def write(name: str, figures: dict) -> None:
    """One key a line, and one row a line where a value is a list of lists or of long texts."""
    lines = []
    for key, value in figures.items():
        if isinstance(value, list) and value and isinstance(value[0], (list, str, dict)):
            rows = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in value)
            text = f"[\n{rows}\n  ]"
        elif isinstance(value, dict) and value and isinstance(next(iter(value.values())), (dict, list)):
            rows = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items())
            text = f"{{\n{rows}\n  }}"
        else:
            text = json.dumps(value, ensure_ascii=False)
        lines.append(f"  {json.dumps(key)}: {text}")
    path = FOLDER / name
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes")


def read(path: Path) -> dict:
    return json.loads(Path(path).read_text(encoding="utf-8"))
