"""Images on disk: order, stacks, headers, masks, and whatever can be wrong with a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fabio.cbfimage
import fabio.edfimage
import fabio.tifimage
import h5py
import hdf5plugin
import numpy as np
import pytest

from hydrostruct.errors import InputError
from hydrostruct.xrd.frames import Frame, FrameSource, count_frames, find_frames, iterate_frames, read_frame, read_image
from hydrostruct.xrd.masks import invalid_pixels, read_mask

IMAGE = np.arange(40 * 50, dtype=np.int32).reshape(40, 50)


def save_tiff(path: Path, image: np.ndarray[Any, Any] = IMAGE) -> Path:
    fabio.tifimage.TifImage(data=image).write(str(path))
    return path


def only(name: object) -> Frame:
    return next(iterate_frames(find_frames(str(name))))


def test_a_pattern_finds_files_in_natural_order(tmp_path: Path) -> None:
    for number in (11, 2, 1, 13):
        save_tiff(tmp_path / f"map_{number}.tif")
    assert [source.path.stem for source in find_frames(str(tmp_path / "*.tif"))] == [
        "map_1",
        "map_2",
        "map_11",
        "map_13",
    ]


def test_the_measured_map_comes_in_scan_order(shared_data: Path) -> None:
    found = find_frames(str(shared_data / "dac_map_fe3o4" / "*.tif"))
    assert [int(source.path.name.split("_")[3]) for source in found] == [1, 2, 3, 6, 7, 8, 11, 12, 13]


def test_a_list_keeps_its_order_and_names_each_file_once(tmp_path: Path) -> None:
    names = [str(save_tiff(tmp_path / f"{stem}.tif")) for stem in ("b", "a")]
    assert [source.path.stem for source in find_frames([*names, names[0]])] == ["b", "a"]


def test_a_single_tiff_keeps_its_numbers_and_type(tmp_path: Path) -> None:
    frame = only(save_tiff(tmp_path / "a.tif"))
    assert frame.name == "a"
    assert frame.image.dtype == np.int32
    np.testing.assert_array_equal(frame.image, IMAGE)
    assert frame.saturation == 2**31 - 1
    with pytest.raises(ValueError, match="read-only"):
        frame.image[0, 0] = 1


def test_frames_of_an_edf_file_are_numbered_from_one(tmp_path: Path) -> None:
    edf = fabio.edfimage.EdfImage(data=IMAGE)
    edf.append_frame(data=IMAGE + 1)
    edf.append_frame(data=IMAGE + 2)
    edf.write(str(tmp_path / "scan.edf"))
    frames = list(iterate_frames(find_frames(str(tmp_path / "scan.edf"))))
    assert [frame.name for frame in frames] == ["scan_00001", "scan_00002", "scan_00003"]
    assert [int(frame.image[0, 0]) for frame in frames] == [0, 1, 2]


def test_frames_of_a_tiff_file_are_numbered_from_one(tmp_path: Path) -> None:
    from PIL import Image

    pages = [Image.fromarray(IMAGE + place) for place in range(3)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    frames = list(iterate_frames(find_frames(str(tmp_path / "scan.tif"))))
    assert [int(frame.image[0, 0]) for frame in frames] == [0, 1, 2]
    assert frames[-1].name == "scan_00003"


def test_an_image_that_follows_in_the_folder_is_not_taken_for_a_frame(tmp_path: Path) -> None:
    save_tiff(tmp_path / "a_0001.tif")
    save_tiff(tmp_path / "a_0002.tif")
    assert count_frames(FrameSource(path=tmp_path / "a_0001.tif")) == 1
    with pytest.raises(InputError, match="no frame 2"):
        read_frame(FrameSource(path=tmp_path / "a_0001.tif"), index=2)


def test_headers_of_measured_images_give_exposure_stage_and_cutoff(shared_data: Path) -> None:
    frame = only(shared_data / "dac_map_fe3o4" / "Fe3O4C_M1_map_7_P1_E1_001.tif")
    assert frame.exposure_s == pytest.approx(29.999)
    assert (frame.x_um, frame.y_um) == (pytest.approx(-326.0), pytest.approx(-558.0))
    pilatus = only(shared_data / "fe_bcc_pilatus" / "BCC1_2GPa_10s_001_00001.tif")
    assert pilatus.exposure_s == pytest.approx(0.4)
    assert pilatus.saturation == 1048574


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("junk.tif", b"\x07\x01" * 3000, "cannot be read as an image"),
        ("junk.edf", b"hello" * 100, "cannot be read as an image"),
        ("junk.cbf", b"abc" * 300, "cannot be read as an image"),
        ("junk.npy", b"abc" * 300, "cannot be read"),
        ("empty.tif", b"", "the file is empty"),
    ],
)
def test_junk_is_told_from_an_image(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        only(tmp_path / name)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_tiff_cut_short_is_told(tmp_path: Path, share: float) -> None:
    whole = save_tiff(tmp_path / "whole.tif").read_bytes()
    (tmp_path / "part.tif").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"part\.tif: cannot be read as an image .* cut short"):
        only(tmp_path / "part.tif")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_an_edf_or_cbf_cut_short_is_told_and_not_filled_with_zeros(tmp_path: Path, share: float) -> None:
    fabio.edfimage.EdfImage(data=IMAGE).write(str(tmp_path / "whole.edf"))
    fabio.cbfimage.CbfImage(data=IMAGE).write(str(tmp_path / "whole.cbf"))
    for name in ("whole.edf", "whole.cbf"):
        np.testing.assert_array_equal(only(tmp_path / name).image, IMAGE)
        whole = (tmp_path / name).read_bytes()
        part = tmp_path / name.replace("whole", "part")
        part.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(InputError, match="cut short"):
            only(part)


@pytest.mark.parametrize("compression", [None, "tiff_deflate", "packbits", "tiff_lzw"])
def test_compressed_tiffs_are_read_and_told_when_cut_short(tmp_path: Path, compression: str | None) -> None:
    from PIL import Image

    Image.fromarray(IMAGE.astype(np.uint16)).save(tmp_path / "whole.tif", compression=compression)
    np.testing.assert_array_equal(only(tmp_path / "whole.tif").image, IMAGE)
    whole = (tmp_path / "whole.tif").read_bytes()
    for share in (0.5, 0.95, 0.999):
        (tmp_path / "part.tif").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(InputError, match="cannot be read as an image"):
            only(tmp_path / "part.tif")


def test_reading_leaves_the_log_of_others_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    import logging

    only(save_tiff(tmp_path / "a.tif"))
    logging.getLogger("fabio").warning("still here")
    assert "still here" in caplog.text


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file fits this pattern"):
        find_frames(str(tmp_path / "*.tif"))
    with pytest.raises(InputError, match="no such file"):
        find_frames(str(tmp_path / "a.tif"))
    with pytest.raises(InputError, match="is a folder"):
        find_frames(str(tmp_path))
    with pytest.raises(InputError, match="none given"):
        find_frames([])


def test_a_damaged_file_can_be_left_out_and_told_of(tmp_path: Path) -> None:
    save_tiff(tmp_path / "a_1.tif")
    (tmp_path / "a_2.tif").write_bytes(b"junk")
    save_tiff(tmp_path / "a_3.tif")
    told: list[str] = []
    frames = iterate_frames(
        find_frames(str(tmp_path / "*.tif")), on_error=lambda source, error: told.append(str(error))
    )
    assert [frame.name for frame in frames] == ["a_1", "a_3"]
    assert len(told) == 1
    assert "a_2.tif" in told[0]


# --- HDF5


def save_stack(path: Path, name: str, data: np.ndarray[Any, Any], **options: Any) -> Path:
    with h5py.File(path, "a") as file:
        file.create_dataset(name, data=data, **options)
    return path


STACK = np.arange(5 * 40 * 50, dtype=np.uint32).reshape(5, 40, 50)


def test_a_stack_is_read_frame_by_frame_by_its_path(tmp_path: Path) -> None:
    path = save_stack(tmp_path / "scan.h5", "entry/data/data", STACK)
    frames = list(iterate_frames(find_frames(f"{path}::/entry/data/data")))
    assert [frame.name for frame in frames] == [f"scan_{number:05d}" for number in range(1, 6)]
    np.testing.assert_array_equal(frames[3].image, STACK[3])
    assert frames[0].saturation == 2**32 - 1


def test_the_only_stack_of_a_file_is_found_without_a_path(tmp_path: Path) -> None:
    path = save_stack(tmp_path / "scan.nxs", "entry/detector/data", STACK)
    save_stack(path, "entry/detector/pixel_mask", np.eye(40, 50, dtype=np.uint32))
    save_stack(path, "entry/detector/count_time", np.array(0.5))
    frame = read_frame(find_frames(str(path))[0], index=5)
    np.testing.assert_array_equal(frame.image, STACK[4])
    assert frame.exposure_s == 0.5
    assert frame.bad_pixels is not None
    assert frame.bad_pixels.sum() == 40


def test_a_stack_with_bitshuffle_is_read(tmp_path: Path) -> None:
    path = save_stack(tmp_path / "scan.h5", "data", STACK, chunks=(1, 40, 50), **hdf5plugin.Bitshuffle())
    np.testing.assert_array_equal(only(path).image, STACK[0])


def eiger_master(folder: Path, *, parts: int = 2) -> Path:
    master = folder / "run_master.h5"
    with h5py.File(master, "w") as file:
        for part in range(1, parts + 1):
            name = f"run_data_{part:06d}.h5"
            save_stack(folder / name, "entry/data/data", STACK + 1000 * part)
            file[f"entry/data/data_{part:06d}"] = h5py.ExternalLink(name, "/entry/data/data")
        file["entry/instrument/detector/count_time"] = 0.1
    return master


@pytest.mark.parametrize("path", ["", "::/entry/data"])
def test_an_eiger_master_is_one_stack_of_its_linked_files(tmp_path: Path, path: str) -> None:
    master = eiger_master(tmp_path)
    frames = list(iterate_frames(find_frames(f"{master}{path}")))
    assert [int(frame.image[0, 0]) for frame in frames[4:6]] == [9000, 2000]
    assert len(frames) == 10
    assert frames[-1].name == "run_master_00010"
    assert frames[0].exposure_s == pytest.approx(0.1)


def test_a_linked_file_that_is_missing_is_named(tmp_path: Path) -> None:
    master = eiger_master(tmp_path)
    (tmp_path / "run_data_000002.h5").unlink()
    with pytest.raises(InputError, match=r"data_000002: links to 'run_data_000002\.h5', which is not there"):
        only(master)


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    save_stack(tmp_path / "secret.h5", "data", STACK)
    with h5py.File(tmp_path / "inner" / "scan.h5", "w") as file:
        file["entry/data"] = h5py.ExternalLink("../secret.h5", "/data")
    with pytest.raises(InputError, match="outside the folder"):
        only(tmp_path / "inner" / "scan.h5")


def test_a_virtual_dataset_without_its_files_is_told_not_read_as_zeros(tmp_path: Path) -> None:
    layout = h5py.VirtualLayout(shape=STACK.shape, dtype=STACK.dtype)
    layout[:] = h5py.VirtualSource("gone.h5", "data", shape=STACK.shape)
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file.create_virtual_dataset("entry/data", layout)
    with pytest.raises(InputError, match=r"put together from 'gone\.h5'"):
        only(tmp_path / "scan.h5")


def test_several_stacks_are_listed(tmp_path: Path) -> None:
    path = save_stack(tmp_path / "scan.h5", "1.1/data", STACK)
    save_stack(path, "2.1/data", STACK)
    with pytest.raises(InputError, match=r"2 datasets of images: /1\.1/data, /2\.1/data"):
        only(path)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (np.arange(100.0), r"has shape \(100,\)"),
        (np.array([b"a", b"b"]), "type"),
        (np.zeros((2, 3, 40, 50)), r"has shape \(2, 3, 40, 50\)"),
    ],
)
def test_a_dataset_that_is_no_image_is_told(tmp_path: Path, data: np.ndarray[Any, Any], sentence: str) -> None:
    path = save_stack(tmp_path / "scan.h5", "data", data)
    with pytest.raises(InputError, match=sentence):
        only(f"{path}::/data")
    with pytest.raises(InputError, match="holds no images"):
        only(path)


def test_a_path_that_is_not_in_the_file_is_told_with_what_is(tmp_path: Path) -> None:
    path = save_stack(tmp_path / "scan.h5", "entry/data", STACK)
    with pytest.raises(InputError, match=r"has no '/entry/dada'.*holds: /entry/data"):
        only(f"{path}::/entry/dada")


def test_a_damaged_hdf5_file_is_told(tmp_path: Path) -> None:
    whole = save_stack(tmp_path / "scan.h5", "data", STACK).read_bytes()
    (tmp_path / "part.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read as HDF5"):
        only(tmp_path / "part.h5")


def test_measured_hdf5_files_give_frames_or_say_why_not(shared_data: Path) -> None:
    folder = shared_data / "hdf5"
    lambda_frame = read_frame(find_frames(str(folder / "testasapo1_1009_00002_m1_part00000.nxs"))[0], index=10)
    assert lambda_frame.image.shape == (516, 1554)
    assert lambda_frame.bad_pixels is not None
    with pytest.raises(InputError, match="holds no images"):
        only(folder / "scan-0100_1D_demo.h5")
    with pytest.raises(InputError, match="holds no images"):
        only(folder / "detector.h5")
    with pytest.raises(InputError, match=r"datasets of images: .*marana"):
        only(folder / "demoh5_dataset.h5")
    with pytest.raises(InputError, match=r"put together from 'scan0002/marana_0000\.h5', which is not there"):
        only(f"{folder / 'demoh5_dataset.h5'}::/2.1/instrument/marana/data")


# --- masks


@pytest.mark.parametrize("ending", [".tif", ".edf", ".npy"])
def test_a_mask_is_every_pixel_that_is_not_zero(tmp_path: Path, ending: str) -> None:
    image = np.zeros((40, 50), dtype=np.int32)
    image[3, 4], image[5, 6] = 1, 255
    path = tmp_path / f"mask{ending}"
    if ending == ".npy":
        np.save(path, image != 0)
    elif ending == ".edf":
        fabio.edfimage.EdfImage(data=image).write(str(path))
    else:
        save_tiff(path, image)
    mask = read_mask(path, shape=(40, 50))
    assert mask.dtype == np.bool_
    assert sorted(map(tuple, np.argwhere(mask).tolist())) == [(3, 4), (5, 6)]


def test_a_mask_of_another_shape_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.zeros((50, 40), dtype=np.int8))
    with pytest.raises(InputError, match=r"50 x 40 pixels\. Expected 40 x 50.*turned by 90°"):
        read_mask(tmp_path / "mask.npy", shape=(40, 50))


def test_a_numpy_file_with_objects_is_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="plain numbers"):
        read_mask(tmp_path / "mask.npy")


def test_the_masks_of_dioptas_load(shared_data: Path) -> None:
    for path in sorted((shared_data / "masks").glob("*.mask")):
        mask = read_mask(path)
        assert 0 < mask.mean() < 0.9


def test_the_mask_of_dioptas_lies_on_the_shadows_of_the_image_as_stored(shared_data: Path) -> None:
    folder = shared_data / "fe_bcc_pilatus"
    frame = only(folder / "BCC1_2GPa_10s_001_00001.tif")
    mask = read_mask(folder / "DiffractionMask_Dioptas.mask", shape=frame.image.shape)
    assert np.all(mask[frame.image < 0]), "the gaps between modules"
    assert frame.image[~mask].max() < 10_000 < frame.image.max(), "the diamond spots"


def test_unusable_pixels_are_masked_and_only_nan_when_that_is_switched_off() -> None:
    image = np.array([[1.0, -1.0, np.nan], [np.inf, 100.0, 0.0]])
    frame = Frame(image=image, source="a", name="a")
    assert invalid_pixels(frame, saturation=100.0).tolist() == [[False, True, True], [True, True, False]]
    assert invalid_pixels(frame, mask_negative=False).tolist() == [[False, False, True], [True, False, False]]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.uint32, np.int32])
def test_the_largest_number_of_an_integer_type_is_saturated(tmp_path: Path, kind: type) -> None:
    image = np.zeros((40, 50), dtype=kind)
    image[1, 2] = np.iinfo(kind).max
    np.save(tmp_path / "a.npy", image)
    assert np.argwhere(invalid_pixels(only(tmp_path / "a.npy"))).tolist() == [[1, 2]]


def test_an_image_with_one_axis_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(5))
    with pytest.raises(InputError, match="rows and columns"):
        read_image(tmp_path / "a.npy")
