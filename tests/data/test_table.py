from __future__ import annotations

import numpy as np
import pytest

from loopwright.data.table import read_csv
from loopwright.errors import DataError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "flowers.csv"


def test_a_table_is_read_with_its_label_wherever_it_stands(path):
    path.write_text("width, kind ,height\n1,rose,2.5\n-3e1,aster, 4 \n\n5,rose,6\n")
    table = read_csv(path, "kind")
    assert table.features.dtype == np.float64
    assert table.features.tolist() == [[1.0, 2.5], [-30.0, 4.0], [5.0, 6.0]]
    assert table.labels.dtype == np.int64
    assert table.labels.tolist() == [1, 0, 1]
    assert table.feature_names == ("width", "height")
    assert table.class_names == ("aster", "rose")
    assert table.rows.tolist() == [2, 3, 5]


def test_numeric_labels_are_classes_in_numeric_order(path):
    path.write_text("x,y\n1,10\n2,9\n3,-1\n")
    table = read_csv(path, "y")
    assert table.class_names == ("-1", "9", "10")
    assert table.labels.tolist() == [2, 1, 0]


def test_spreadsheets_marks_line_ends_and_quotes_are_understood(path):
    path.write_bytes('\ufeffx,"a, b",y\r\n"1",2,"rose, red"\r\n'.encode())
    table = read_csv(path, "y")
    assert table.feature_names == ("x", "a, b")
    assert table.class_names == ("rose, red",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "found nothing, expected a row of column names"),
        ("\n\n", "found nothing"),
        ("x,kind\n", "found only column names"),
        ("x,kinds\n1,a\n", "no label column 'kind': did you mean 'kinds'"),
        ("x,y\n1,a\n", "no label column 'kind': there is x, y."),
        ("kind\na\n", "found no column but 'kind'"),
        ("x,x,kind\n1,2,a\n", "2 columns are called 'x'"),
        ("x,kind\n1,a\n2\n", "row 3: found 1 cells, expected 2"),
        ("x,kind\n1,a,b\n", "row 2: found 3 cells, expected 2"),
        ("x,z,kind\n1,2,a\n1,n/a,b\n", "row 3, column 'z': found 'n/a', expected a finite number"),
        ("x,kind\n\n,b\n", "row 3, column 'x': found an empty cell, expected a finite number"),
        ("x,kind\nnan,b\n", "row 2, column 'x': found 'nan'"),
        ("x,kind\ninf,b\n", "row 2, column 'x': found 'inf'"),
        ("x,kind\n1_000,b\n", "row 2, column 'x': found '1_000'"),
        ("x,kind\n1, \n", "row 2, column 'kind': found no label"),
    ],
)
def test_what_is_wrong_is_named_with_its_row_and_column(path, content, message):
    path.write_text(content)
    with pytest.raises(DataError, match=message) as raised:
        read_csv(path, "kind")
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_in_another_encoding_is_refused(path):
    path.write_bytes(b"x,kind\n1,ros\xe9\n")
    with pytest.raises(DataError, match="not a CSV file in UTF-8"):
        read_csv(path, "kind")


def test_a_cell_without_end_is_refused(path):
    path.write_text('x,kind\n1,"' + "a" * 200_000)
    with pytest.raises(DataError, match=r"not a CSV file in UTF-8 .*field larger"):
        read_csv(path, "kind")


def test_a_missing_file_is_named(path):
    with pytest.raises(DataError, match=r"flowers\.csv: no such file"):
        read_csv(path, "kind")
