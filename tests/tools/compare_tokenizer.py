#!/usr/bin/env python3
"""Compares this project's tokenizer with Hugging Face `tokenizers` (pip install tokenizers) on generated texts.

  compare_tokenizer.py train FOLDER [--size 128000] [--texts GLOB]
      writes vocabularies for it into FOLDER, trained on the translated messages of installed programs (*.mo):
      llama3.json (its pattern, ignore_merges, a special token in front), neox.json (NFC, runs of blanks as added tokens), and
      unusual.json (prefix blank, two splits, added tokens that strip, single words, unknown characters, byte fallback)
  compare_tokenizer.py cases TOKENIZER.json ... [--seed 1]
      writes TOKENIZER.cases.json beside each: short texts with their ids, the ids without special tokens and the decoded text where they differ, for the unit tests
  compare_tokenizer.py run PROGRAM TOKENIZER.json ... [--characters 10000000] [--seed 1]
      PROGRAM is the build's encode_texts; compares ids and decoded text, prints what differs, exits with 1 if anything does
"""
import argparse
import gettext
import glob
import json
import pathlib
import random
import struct
import subprocess
import sys
import time

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")

# First and last code point of what a word of a script is drawn from.
SCRIPTS = {
    "latin": [(0x61, 0x7A), (0x41, 0x5A), (0xC0, 0x24F), (0x1E00, 0x1EFF)], "greek": [(0x386, 0x3FF), (0x1F00, 0x1FFE)],
    "cyrillic": [(0x400, 0x52F)], "armenian": [(0x531, 0x58A)], "hebrew": [(0x591, 0x5F4)], "arabic": [(0x600, 0x6FF)],
    "arabic forms": [(0xFB50, 0xFDFF), (0xFE70, 0xFEFF)], "syriac": [(0x700, 0x74F)], "devanagari": [(0x900, 0x97F)],
    "bengali": [(0x980, 0x9FE)], "tamil": [(0xB80, 0xBFF)], "malayalam": [(0xD00, 0xD7F)], "sinhala": [(0xD80, 0xDFF)],
    "thai": [(0xE01, 0xE5B)], "tibetan": [(0xF00, 0xFDA)], "myanmar": [(0x1000, 0x109F)], "georgian": [(0x10A0, 0x10FF)],
    "jamo": [(0x1100, 0x11FF)], "ethiopic": [(0x1200, 0x137C)], "khmer": [(0x1780, 0x17F9)], "mongolian": [(0x1800, 0x18AA)],
    "hiragana": [(0x3041, 0x309F)], "katakana": [(0x30A0, 0x30FF), (0xFF66, 0xFF9F)], "chinese": [(0x4E00, 0x9FFF)],
    "rare chinese": [(0x20000, 0x323AF)], "korean": [(0xAC00, 0xD7A3)], "gothic": [(0x10330, 0x1034A)],
    "mathematical": [(0x1D400, 0x1D7FF)], "full width": [(0xFF01, 0xFF5E)], "numbers": [(0x2150, 0x218B), (0x2460, 0x24FF)],
}
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "'Re", "'vE", "'\u017f", "\u2019s", "'\u212a", "''s"]
BLANKS = ["\t", "\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\xa0", "\u1680", "\u180e", "\u2000", "\u2003", "\u200a", "\u200b",
          "\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff"]
EMOJI = ["\U0001F600", "\U0001F468\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466", "\U0001F44D\U0001F3FD", "\U0001F1E9\U0001F1EA",
         "\u2764\ufe0f", "1\ufe0f\u20e3", "\U0001F9D1\U0001F3FF\u200d\U0001F4BB", "\U0001F3F4\U000E0067\U000E0062\U000E007F"]
ODD = ["\0", "\x01", "\x07", "\x1b[31m", "\x7f", "\x80", "\x9b", "\ud7ff", "\ue000", "\uf8ff", "\ufffd", "\ufffe", "\uffff", "\U00010000",
       "\U0010FFFF", "\U000F0000", "\u0378", "\U0003FFFF", "\u0345", "\u1e9e", "\u00df", "\ufb00", "\ufb05", "\u0130", "\u0131"]
CODE = ["int main() {\n\treturn 0;\n}\n", "    if x == 1:\n        pass\n", "<html>\r\n  <b>x</b>\r\n", "a += b*3.14e-10;", "#!/bin/sh\n",
        "https://example.org/?q=%20a&b=c#d", "{\"key\": [1, 2.5, null]}", "user@example.com", "C:\\\\x\\y", "$$E=mc^2$$", "--flag=value"]


class Texts:
    """Draws texts; the same for the same seed."""

    def __init__(self, seed, special):
        self.random = random.Random(seed)
        self.special = special  # contents of the added tokens
        self.scripts = list(SCRIPTS.values())

    def character(self):
        while True:
            c = self.random.choice([0x7F, 0x7FF, 0xFFFF, 0x10FFFF, 0x1FFFF])
            c = self.random.randint(0, c)
            if not 0xD800 <= c < 0xE000:
                return chr(c)

    def word(self, ranges):
        r = self.random
        return "".join(chr(r.randint(*r.choice(ranges))) for _ in range(r.choice([1, 2, 3, 4, 5, 6, 7, 8, 12, 30])))

    def marks(self):
        r = self.random
        places = [(0x300, 0x36F), (0x483, 0x489), (0x591, 0x5BD), (0x64B, 0x65F), (0x1AB0, 0x1ACE), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0),
                  (0x1100, 0x11FF), (0x93C, 0x94D), (0xAC00, 0xAC20), (0x11A8, 0x11C2), (0x1E000, 0x1E02A), (0x3099, 0x309A)]
        base = r.choice(["a", "e", "\u00e9", "\u0938", "\u05e9", "\u0627", "\u304b", "\u1100", "\uac00", "\u1ea1", "\u212b", "\u2126", "q"])
        return base + "".join(chr(r.randint(*r.choice(places))) for _ in range(r.randint(1, 6)))

    def fragment(self):
        r = self.random
        kind = r.randint(0, 15)
        if kind <= 4:
            ranges = r.choice(self.scripts)
            return r.choice([" ", ""]).join(self.word(ranges) for _ in range(r.randint(1, 8)))
        if kind == 5:
            return r.choice(["word", "It", "they", "I", "O", "\u00e9t\u00e9", "1", "", " "]) + r.choice(CONTRACTIONS) + r.choice(["", "x", " "])
        if kind == 6:
            return r.choice([" ", "\n", "\t", "\r\n", r.choice(BLANKS)]) * r.choice([1, 2, 3, 4, 5, 8, 13, 24, 25, 50, 100])
        if kind == 7:
            return "".join(r.choice(BLANKS + [" ", " ", "a"]) for _ in range(r.randint(1, 12)))
        if kind == 8:
            return r.choice(["", "-", " "]) + "".join(r.choice("0123456789") for _ in range(r.randint(1, 20))) + r.choice(["", ".5", ",000"])
        if kind == 9:
            return r.choice(EMOJI) * r.randint(1, 3)
        if kind == 10:
            return self.marks()
        if kind == 11:
            return "".join(r.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for _ in range(r.randint(1, 10)))
        if kind == 12:
            return r.choice(ODD)
        if kind == 13:
            return r.choice(CODE)
        if kind == 14:
            token = r.choice(self.special)
            cut = r.randint(0, len(token))
            return r.choice([token, token, " " + token, token + "  ", token[:cut], "x" + token + "x", token.upper()])
        return "".join(self.character() for _ in range(r.randint(1, 20)))

    def text(self):
        r = self.random
        if r.random() < 0.02:  # one word without an end
            return r.choice(["a", "ab", "\u4e2d", " ", "\n ", "9", "!", "\U0001F600", "\u0301"]) * r.randint(1, 3000)
        parts, most = [], r.choice([0, 1, 5, 20, 100, 400])
        size = 0
        while size < most:
            parts.append(self.fragment() + r.choice(["", " ", " ", "\n", ". "]))
            size += len(parts[-1])
        return "".join(parts)


def program_answers(program, tokenizer, texts):
    feed = b"".join(struct.pack("<I", len(t)) + t for t in (text.encode() for text in texts))
    done = subprocess.run([program, tokenizer], input=feed, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{program} failed: {done.stderr.decode()}")
    out, at, answers = done.stdout, 0, []
    for _ in texts:
        (count,) = struct.unpack_from("<I", out, at)
        ids = list(struct.unpack_from(f"<{count}I", out, at + 4))
        at += 4 + 4 * count
        (size,) = struct.unpack_from("<I", out, at)
        answers.append((ids, out[at + 4:at + 4 + size].decode()))
        at += 4 + size
    return answers


def run(options):
    wrong = False
    for path in options.tokenizers:
        tokenizer = Tokenizer.from_file(path)
        special = [t.content for t in tokenizer.get_added_tokens_decoder().values()] or ["<|endoftext|>"]
        source = Texts(options.seed, special[:40] + special[-5:])
        characters = count = ids = differences = 0
        start = time.time()
        while characters < options.characters:
            texts = [source.text() for _ in range(20000)]
            theirs = tokenizer.encode_batch(texts)
            for text, (own_ids, own_text), their in zip(texts, program_answers(options.program, path, texts), theirs):
                characters += len(text)
                count += 1
                ids += len(own_ids)
                decoded = tokenizer.decode(their.ids, skip_special_tokens=False)
                if own_ids == their.ids and own_text == decoded:
                    continue
                differences += 1
                if differences <= 5:
                    at = next((i for i, (a, b) in enumerate(zip(own_ids, their.ids)) if a != b), -1)
                    print(f"  {text[:200]!r}: first different id at {at}: {own_ids[at:at + 6]} and {their.ids[at:at + 6]};"
                          f" decoded text {'equal' if own_text == decoded else 'differs'}")
        wrong = wrong or differences > 0
        print(f"{path}: {characters:,} characters in {count:,} texts, {ids:,} ids, {differences} differences, "
              f"{time.time() - start:.0f} s", flush=True)
    return 1 if wrong else 0


def messages(pattern):
    for path in sorted(glob.glob(pattern)):
        try:
            with open(path, "rb") as file:
                catalogue = gettext.GNUTranslations(file)
        except Exception:  # not one of gettext's
            continue
        yield "\n".join(text for key, text in catalogue._catalog.items() if isinstance(text, str) and key)


def train(options):
    folder = pathlib.Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()

    def write(name, tokenizer, size, special, added, **more):
        trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=more.get("alphabet", alphabet), show_progress=False,
                                      special_tokens=more.get("first", []))
        tokenizer.train_from_iterator(messages(options.texts), trainer)
        tokenizer.add_special_tokens(special)
        tokenizer.add_tokens(added)
        described = json.loads(tokenizer.to_str())
        described["model"].update(more.get("model", {}))
        if "post" in more:
            described["post_processor"] = json.loads(more["post"](tokenizer))
        (folder / name).write_text(json.dumps(described, ensure_ascii=False, separators=(",", ":")))
        print(folder / name, Tokenizer.from_file(str(folder / name)).get_vocab_size())

    llama = Tokenizer(models.BPE())
    llama.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    llama.decoder = decoders.ByteLevel()

    def bos(tokenizer):
        begin = tokenizer.token_to_id("<|begin_of_text|>")
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
            single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", begin)])])
        return json.dumps(json.loads(tokenizer.to_str())["post_processor"])

    specials = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|start_header_id|>"]
    specials += [f"<|reserved_special_token_{i}|>" for i in range(252 if options.size > 10000 else 4)]
    write("llama3.json", llama, options.size, specials, [], model={"ignore_merges": True}, post=bos)

    neox = Tokenizer(models.BPE())
    neox.normalizer = normalizers.NFC()
    neox.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    neox.decoder = decoders.ByteLevel()
    write("neox.json", neox, options.size * 50 // 128, ["<|padding|>"], [AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)],
          first=["<|endoftext|>"])

    unusual = Tokenizer(models.BPE())
    unusual.normalizer = normalizers.NFC()
    unusual.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\p{N}{1,3}|[\r\n]++"), "removed"), pre_tokenizers.ByteLevel(add_prefix_space=True)])
    unusual.decoder = decoders.ByteLevel()
    added = [AddedToken("[L]", lstrip=True), AddedToken("[R]", rstrip=True, normalized=True), AddedToken("[B]", lstrip=True, rstrip=True),
             AddedToken("word", single_word=True), AddedToken("\u00e9t\u00e9", single_word=True, normalized=True), AddedToken("\u212b"),
             AddedToken("  a"), AddedToken("\n\n"), AddedToken("'s"), AddedToken("1"), AddedToken("'s t", single_word=True)]
    few = [c for c in alphabet if c not in "xyzQ\u0120\u0140\u00e2"]
    write("unusual.json", unusual, min(4000, options.size // 2), ["<s>", "<unk>"], added, alphabet=few, first=["<?>"],
          model={"unk_token": "<?>", "fuse_unk": True})

    fallback = Tokenizer(models.BPE(byte_fallback=True, unk_token="<?>"))
    fallback.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?[^\s]+|\s+"), "isolated")
    fallback.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    bytes_ = [f"<0x{b:02X}>" for b in range(256) if b != 0xF0]
    trainer = trainers.BpeTrainer(vocab_size=min(3000, options.size // 2), limit_alphabet=100, show_progress=False, special_tokens=["<?>"] + bytes_)
    fallback.train_from_iterator(messages(options.texts), trainer)
    described = json.loads(fallback.to_str())
    described["added_tokens"] = described["added_tokens"][:1]  # else the text <0xE9> would be the byte
    (folder / "fallback.json").write_text(json.dumps(described, ensure_ascii=False, separators=(",", ":")))
    print(folder / "fallback.json")
    return 0


def cases(options):
    for path in options.tokenizers:
        tokenizer = Tokenizer.from_file(path)
        special = [t.content for t in tokenizer.get_added_tokens_decoder().values()]
        source = Texts(options.seed, special)
        texts = ["", " ", "Hello, world!", "It's  1234567 o'clock\r\n\r\n  don't", *special[:20], *(f"a {t}  b" for t in special[:20])]
        while len(texts) < 130:
            text = source.fragment() + source.random.choice(["", " "]) + source.fragment()
            if len(text) <= 40:
                texts.append(text)
        rows = []
        for text in texts:
            ids = tokenizer.encode(text).ids
            rows.append({"text": text, "ids": ids})
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            if plain != ids:
                rows[-1]["plain"] = plain
            decoded = tokenizer.decode(ids, skip_special_tokens=False)
            if decoded != text:
                rows[-1]["decoded"] = decoded
        out = pathlib.Path(path).with_suffix(".cases.json")
        out.write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")
        print(out, len(rows))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("train")
    one.add_argument("folder")
    one.add_argument("--size", type=int, default=128000)
    one.add_argument("--texts", default="/usr/share/locale/*/LC_MESSAGES/*.mo")
    one.set_defaults(does=train)
    three = commands.add_parser("cases")
    three.add_argument("tokenizers", nargs="+")
    three.add_argument("--seed", type=int, default=1)
    three.set_defaults(does=cases)
    two = commands.add_parser("run")
    two.add_argument("program")
    two.add_argument("tokenizers", nargs="+")
    two.add_argument("--characters", type=int, default=10_000_000)
    two.add_argument("--seed", type=int, default=1)
    two.set_defaults(does=run)
    options = parser.parse_args()
    sys.exit(options.does(options))


if __name__ == "__main__":
    main()
