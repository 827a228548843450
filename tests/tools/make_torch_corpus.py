"""Writes the seeds of the fuzzers of PyTorch's files, good and hostile, into tests/fuzz/corpus. Needs torch.

    python tests/tools/make_torch_corpus.py

Names that begin with "good" are files that PyTorch itself wrote, or that it would load; the others must be refused.
"""
import collections
import io
import os
import pathlib
import pickle
import struct
import zipfile

import torch

CORPUS = pathlib.Path(__file__).parent.parent / "fuzz" / "corpus"


def write(folder, name, data):
    (CORPUS / folder).mkdir(exist_ok=True)
    (CORPUS / folder / name).write_bytes(data)


def saved(thing, **options):
    out = io.BytesIO()
    torch.save(thing, out, **options)
    return out.getvalue()


def archive(entries, compression=zipfile.ZIP_STORED, zip64=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as target:
        for name, data in entries:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = compression
            with target.open(info, "w", force_zip64=zip64) as entry:
                entry.write(data)
    return out.getvalue()


class Storage:
    def __init__(self, kind, key, elements):
        self.id = ("storage", kind, key, "cpu", elements)


class View:
    """Pickled as a tensor with whatever offset, shape and strides."""

    def __init__(self, storage, offset, shape, strides, hooks=None):
        self.arguments = (storage, offset, shape, strides, False, collections.OrderedDict() if hooks is None else hooks)

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.arguments


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


class Pickler(pickle._Pickler):  # the one in Python: the C one refuses what the format allows
    def persistent_id(self, thing):
        return thing.id if isinstance(thing, Storage) else None


def pickled(thing, protocol=2):
    out = io.BytesIO()
    Pickler(out, protocol).dump(thing)
    return out.getvalue()


def make_state_dicts():
    """For the entry that puts a pickle beside storages '0' to '3' of 64 bytes."""
    float0 = Storage(torch.FloatStorage, "0", 16)
    brain1 = Storage(torch.BFloat16Storage, "1", 32)
    half2 = Storage(torch.HalfStorage, "2", 32)

    def one(*view):
        return pickled({"a": View(*view)})

    meta = collections.OrderedDict(a=View(float0, 0, (16,), (1,)))
    meta._metadata = collections.OrderedDict([("", {"version": 1})])
    good = {
        "good_contiguous": one(float0, 0, (4, 4), (4, 1)),
        "good_offset": one(brain1, 8, (2, 3, 4), (12, 4, 1)),
        "good_transposed": one(half2, 0, (8, 4), (1, 8)),
        "good_expanded": one(float0, 3, (4, 2), (0, 1)),
        "good_scalar": one(float0, 15, (), ()),
        "good_empty": one(float0, 0, (0, 4), (4, 1)),
        "good_one_wide": one(float0, 0, (16, 1), (1, 77)),
        "good_ordered_metadata": pickled(meta),
        "good_tied": pickled({"a": View(float0, 0, (16,), (1,)), "b": View(float0, 0, (16,), (1,))}),
        "good_nothing": pickled({}),
        "good_protocol_3": pickled({"a": View(float0, 0, (16,), (1,))}, 3),
        "good_protocol_4": pickled({"a": View(float0, 0, (16,), (1,))}, 4),
        "good_protocol_5": pickled({"a": View(float0, 0, (16,), (1,))}, 5),
        "good_integers": one(Storage(torch.LongStorage, "3", 8), 0, (8,), (1,)),
    }
    bad = {
        "reaches_beyond": one(float0, 1, (4, 4), (4, 1)),
        "offset_beyond": one(float0, 16, (1,), (1,)),
        "stride_beyond": one(float0, 0, (2, 2), (15, 1)),
        "shape_overflows": one(float0, 0, (2**62, 2**62), (2**62, 1)),
        "stride_overflows": one(float0, 0, (3, 3), (2**62, 2**62)),
        "offset_overflows": one(float0, 2**63 - 1, (2,), (2**63 - 1,)),
        "offset_negative": one(float0, -1, (2,), (1,)),
        "stride_negative": one(float0, 15, (16,), (-1,)),
        "shape_negative": one(float0, 0, (-4, -4), (4, 1)),
        "expanded_large": one(float0, 0, (2**40,), (0,)),
        "integer_long": one(float0, 2**70, (2,), (1,)),
        "ranks_differ": one(float0, 0, (4, 4), (4,)),
        "many_dimensions": one(float0, 0, (1,) * 40, (1,) * 40),
        "hooks": one(float0, 0, (16,), (1,), collections.OrderedDict(a=1)),
        "storage_absent": one(Storage(torch.FloatStorage, "7", 16), 0, (16,), (1,)),
        "storage_outside": one(Storage(torch.FloatStorage, "../data.pkl", 16), 0, (16,), (1,)),
        "storage_small": one(Storage(torch.FloatStorage, "0", 17), 0, (16,), (1,)),
        "storage_overflows": one(Storage(torch.FloatStorage, "0", 2**62 + 16), 0, (16,), (1,)),
        "storage_negative": one(Storage(torch.FloatStorage, "0", -16), 0, (16,), (1,)),
        "nested": pickled({"a": {"b": View(float0, 0, (16,), (1,))}}),
        "list": pickled([View(float0, 0, (16,), (1,))]),
        "integer_key": pickled({1: View(float0, 0, (16,), (1,))}),
        "value_text": pickled({"a": "b"}),
        "storage_alone": pickled({"a": float0}),
        "parameter": pickled(torch.nn.Parameter),
        "evil_2": pickled({"a": Evil()}),
        "evil_4": pickled({"a": Evil()}, 4),
        "evil_first": pickled(Evil()),
        "evil_list": pickled([Evil()]),
        "evil_inst": b"(X\x05\0\0\0touchiposix\nsystem\n.",
        "evil_eval": b"c__builtin__\neval\n(X\x03\0\0\01+1tR.",
        "evil_name_in_torch": b"\x80\x02}X\1\0\0\0actorch\nload\n)Rs.",
        "evil_dotted": b"\x80\x04}\x8c\1a\x8c\5torch\x8c\x12FloatStorage.__new\x93s.",
        "no_stop": pickled({})[:-1],
        "goes_on": pickled({}) + b".",
        "stack_empty": b"\x80\x02R.",
        "mark_absent": b"\x80\x02}u.",
        "mark_alone": b"\x80\x02(.",
        "memo_absent": b"\x80\x02h\x05.",
        "memo_large": b"\x80\x02}r\xff\xff\xff\xff.",
        "text_long": b"\x80\x02X\xff\xff\xff\xffabc.",
        "name_not_utf8": b"\x80\x02}X\1\0\0\0\xff" + pickled(View(float0, 0, (16,), (1,)))[2:-1] + b"s.",
        "name_twice": b"\x80\x02}(X\1\0\0\0a" + pickled(View(float0, 0, (16,), (1,)))[2:-1] + b"X\1\0\0\0ah\x0bu.",
        "tuples_deep": b"\x80\x02" + b")" + b"\x85" * 3000 + b".",
        "protocol_9": b"\x80\x09}.",
        "no_opcode": b"\x80\x02\xff.",
        "builds_other": b"\x80\x02ccollections\nOrderedDict\n)R}X\x01\0\0\0aNsb.",
        "calls_storage": b"\x80\x02ctorch\nFloatStorage\n)R.",
        "persistent_text": b"\x80\x02X\x03\0\0\0abcQ.",
    }
    for name, data in {**good, **bad}.items():
        write("state_dict", name, data)


def make_torch_files():
    base = torch.arange(24, dtype=torch.float32)
    weight = torch.arange(6.0).reshape(2, 3).to(torch.bfloat16)
    views = collections.OrderedDict(
        contiguous=base.clone().reshape(4, 6), expanded=torch.tensor([1.0, 2.0, 3.0]).expand(2, 3),
        half=torch.tensor([1.5, -2.0], dtype=torch.float16), none=torch.zeros(0, 4), scalar=torch.tensor(2.5),
        sliced=base[3:19:5], tied=weight, tied_too=weight, transposed=base.reshape(4, 6).t(),
        windows=base[:6].unfold(0, 3, 1))
    views._metadata = collections.OrderedDict([("", {"version": 1})])
    write("torch_file", "good_views", saved(views))
    write("torch_file", "good_protocol_4", saved({"a": weight}, pickle_protocol=4))
    write("torch_file", "legacy", saved({"a": weight}, _use_new_zipfile_serialization=False))
    write("torch_file", "bare_pickle", pickle.dumps(Evil(), 2))
    write("torch_file", "quantised", saved({"a": torch.zeros(3, dtype=torch.float8_e4m3fn)}))
    write("torch_file", "module", saved(torch.nn.Linear(1, 1)))

    float0 = Storage(torch.FloatStorage, "0", 4)
    pickle0 = pickled({"a": View(float0, 0, (4,), (1,))})
    bytes0 = struct.pack("<4f", 1, 2, 3, 4)
    plain = [("m/data.pkl", pickle0), ("m/data/0", bytes0)]
    write("torch_file", "good_python_zip", archive(plain))
    write("torch_file", "good_zip64", archive(plain, zip64=True))
    write("torch_file", "big_endian", archive(plain + [("m/byteorder", b"big")]))
    write("torch_file", "torchscript", archive(plain + [("m/constants.pkl", b"")]))
    write("torch_file", "two_pickles", archive(plain + [("n/data.pkl", pickle0)]))
    write("torch_file", "no_pickle", archive(plain[1:]))
    write("torch_file", "no_storage", archive(plain[:1]))
    write("torch_file", "evil", archive([("m/data.pkl", pickled({"a": Evil()})), plain[1]]))
    write("torch_file", "deflated", archive([("m/data.pkl", pickle0 + b"\0" * 2000), plain[1]], zipfile.ZIP_DEFLATED))
    write("torch_file", "outside", archive(plain + [("../m/data/1", b"x")]))
    write("torch_file", "not_a_zip", b"PK\3\4 and then nothing of the kind")


def make_zips():
    two = [("m/a", b"alpha"), ("m/b", b"beta")]
    good = archive(two)
    directory = good.index(b"PK\1\2")
    second = good.index(b"PK\1\2", directory + 1)
    write("zip_archive", "good_two", good)
    write("zip_archive", "good_zip64", archive(two, zip64=True))
    write("zip_archive", "good_none", archive([]))
    write("zip_archive", "good_empty_entries", archive([("a/", b""), ("a/b", b""), ("a/c", b"c")]))
    write("zip_archive", "good_torch", saved({"a": torch.zeros(2)}))

    def patched(at, data, source=good):
        return source[:at] + data + source[at + len(data):]

    end = len(good) - 22
    write("zip_archive", "truncated", good[:-1])
    write("zip_archive", "cut_in_front", good[10:])
    write("zip_archive", "appended", good + b"x")
    write("zip_archive", "comment", patched(end + 20, b"\1\0") + b"x")
    write("zip_archive", "two_ends", archive(two + [("m/c", good[end:])]))
    write("zip_archive", "several_disks", patched(end + 4, b"\1\0\1\0"))
    write("zip_archive", "counts_differ", patched(end + 8, b"\1\0\1\0"))
    write("zip_archive", "counts_large", patched(end + 8, b"\xff\xff\xff\xff"))
    write("zip_archive", "directory_outside", patched(end + 16, b"\xf0\xff\xff\x7f"))
    write("zip_archive", "deflated", archive([("bomb", b"\0" * 100000)], zipfile.ZIP_DEFLATED))
    write("zip_archive", "encrypted", patched(directory + 8, b"\1\0", patched(6, b"\1\0")))
    write("zip_archive", "size_large", patched(directory + 20, b"\xff\xff\xff\x7f" * 2))
    write("zip_archive", "size_differs", patched(directory + 24, b"\x09\0\0\0"))
    write("zip_archive", "good_checksum_differs", patched(good.index(b"alpha"), b"alphA"))
    write("zip_archive", "overlap", patched(second + 42, b"\0\0\0\0"))
    write("zip_archive", "offset_outside", patched(second + 42, b"\xf0\xff\0\0"))
    write("zip_archive", "local_name", patched(good.index(b"m/a"), b"m/x"))
    write("zip_archive", "zip64_nowhere", good[:end] + b"PK\6\7" + struct.pack("<IQI", 0, 1 << 40, 1) + good[end:])
    for name, inner in {"absolute": "/etc/passwd", "parent": "m/../../x", "drive": "C:x", "backslash": "m\\x",
                        "nothing": "", "long": "n" * 2000}.items():
        write("zip_archive", "name_" + name, archive([(inner, b"x")]))
    write("zip_archive", "twice", archive(two + [("m/a", b"other")]))


def make_indexes():
    def index(text):
        return text.encode()

    two = '{"metadata":{"total_size":8},"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}'
    write("shard_index", "good_two", index(two))
    write("shard_index", "good_bin", index('{"weight_map":{"a":"pytorch_model-00001-of-00001.bin"}}'))
    for name, file in {"parent": "../model.safetensors", "absolute": "/etc/passwd", "folder": "a/b", "backslash": "a\\\\b",
                       "hidden": ".x", "nothing": "", "zero": "a\\u0000b", "long": "n" * 300}.items():
        write("shard_index", "file_" + name, index('{"weight_map":{"a":"%s"}}' % file))
    write("shard_index", "twice", index('{"weight_map":{"a":"x.bin","a":"y.bin"}}'))
    write("shard_index", "no_map", index('{"metadata":{}}'))
    write("shard_index", "map_list", index('{"weight_map":["a"]}'))
    write("shard_index", "map_empty", index('{"weight_map":{}}'))
    write("shard_index", "map_number", index('{"weight_map":{"a":1}}'))
    write("shard_index", "not_json", index('{"weight_map":'))
    write("shard_index", "many_files",
          index('{"weight_map":{%s}}' % ",".join('"%d":"%d"' % (i, i) for i in range(1001))))


if __name__ == "__main__":
    make_state_dicts()
    make_torch_files()
    make_zips()
    make_indexes()
