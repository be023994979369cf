"""Token ids and sentence embeddings of twelve texts, made with sentence-transformers.

    pip install -r tests/reference/requirements.txt
    HF_HUB_OFFLINE=1 OMP_NUM_THREADS=2 python tests/reference/embeddings.py .deps/models/all-MiniLM-L6-v2

Made with Python 3.11, sentence-transformers 6.2.0, transformers 5.23.0, tokenizers 0.23.3, torch 2.11.0 (CPU, float32).
Each text is encoded by itself, so that no padding takes part; `padded_difference` is the largest absolute
difference to the same texts encoded as one padded batch.
"""

import argparse
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer

from reference import rounded, versions, write

LONG = """\
Since the upgrade on Monday morning our night shift cannot close orders any more. What we did so far: we restarted
the two terminals in hall B, we cleared the cache of the browser, we asked the colleagues of the day shift, and we
read the notes of the release from the first to the last line. None of this changed anything. The order goes
through the states "picked", "packed" and "weighed" as always, then the button for the last state stays grey, the
little wheel turns for about forty seconds, and the page shows the order as "packed" again, with the weight gone.
If the order has a single line it sometimes works at the second attempt; with ten lines and more it has never worked.
We have counted 37 orders since midnight, and the carrier fetches the pallets at half past five, whatever our
screens say. Two more things that may help you: first, the clock on terminal 4 is eleven minutes fast since the power
cut in spring, and nobody has the password to set it; second, the scale was exchanged on Friday, and the new one
reports kilograms with a comma where the old one had a point, which the supplier says is how it has to be in our
country. Please tell us whether we may ship without the last state and enter the weights by hand later, or whether
that breaks the invoices, as it did in November, when accounting had to correct three hundred of them one by one and
was not amused. You reach me on the shop floor until six, after that ask for Henrike in the office, who has the list
of the orders, the photographs of the screens and the serial number of the scale.""".replace("\n", " ")

TEXTS = [
    "Printer offline.",
    "How do I reset the password of a shared mailbox, and who is told about it?",
    "",
    LONG,
    "Où est passée ma facture n° 4711 ? Le café d'à côté l'a reçue dès août… Señor Muñoz, Straße, İzmir, cafe\u0301",
    "请问如何重置密码？ 請求書のPDFを再発行してください。 비밀번호를 잊어버렸어요",
    "The app crashed again 😡😡 and now it says ✅ done?! 👩🏽‍💻 🇩🇪 ❤️",
    "Steps:\r\n1. open the portal\n2. click\tSave\n\n\nExpected: saved.\nActual: nothing\u00a0happens.\u200b \u0007 \ufffd\u2028end  ",
    "TypeError: cannot read 'id' of undefined at CartStore.flush (cart_store.ts:218:17) https://shop.example.com/a?b=1&c=%20#x err=0x80070005",
    "PLEASE HELP!!! vpn drops evry 5min w/ SSO+MFA (OTP via SMS), tix #INC-0042 re-opened 3x, SLA P1, RCA pls asap",
    "Is [MASK] a placeholder, or does [SEP] end the field? [unused1] ##ing [CLS]",
    "key: " + "deadbeef" * 16 + " (a word of more than a hundred characters)",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of all-MiniLM-L6-v2")
    args = parser.parse_args()

    torch.set_num_threads(2)
    model = SentenceTransformer(str(args.model), device="cpu", local_files_only=True)
    embeddings = torch.stack([model.encode(text, convert_to_tensor=True) for text in TEXTS])
    padded = model.encode(TEXTS, convert_to_tensor=True, batch_size=len(TEXTS))
    token_ids = [model.preprocess([text])["input_ids"][0].tolist() for text in TEXTS]

    write(
        "embeddings.json",
        {
            "model": args.model.resolve().name,
            "versions": versions("sentence-transformers", "transformers", "tokenizers", "torch"),
            "max_seq_length": model.max_seq_length,
            "padded_difference": (embeddings - padded).abs().max().item(),
            "texts": TEXTS,
            "token_ids": token_ids,
            "embeddings": rounded(embeddings.tolist()),
        },
    )


if __name__ == "__main__":
    main()
