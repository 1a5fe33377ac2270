"""A page on which anybody reads numbers in a picture: python app.py, or a Space of the Hugging Face Hub."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

import lenet

# What a Space's processor reads in a second or two.
MOST_PIXELS = 12_000_000
COLUMNS = ["number", "confidence", "where"]


def tell(number: lenet.Number | lenet.Cell, where: str) -> list[str]:
    """Return a row: the answer, or the guess with a question mark, or why there is none; how sure; where it stands."""
    guess = f"{number.guess}?" if number.guess else number.state
    return [number.text or guess, f"{number.confidence:.2f}", where]


def read_numbers(picture: np.ndarray[Any, Any] | None, pattern: str, tables: bool) -> tuple[Any, str, list[list[str]]]:
    """Return the picture with boxes, what it says, and a row for each number, with what is doubtful as a guess."""
    if picture is None:
        return None, "Choose a picture first.", []
    if picture.shape[0] * picture.shape[1] > MOST_PIXELS:
        return None, f"A picture of at most {MOST_PIXELS:,} pixels, please.", []
    try:
        if tables:
            cells = [cell for table in lenet.read_table(picture, pattern=pattern or None) for cell in table.cells]
            rows = [
                tell(cell, f"row {cell.row + 1}, column {cell.column + 1}") for cell in cells if cell.state != "empty"
            ]
            return Image.fromarray(picture), f"{len(cells)} cells, {len(cells) - len(rows)} of them empty", rows
        reading = lenet.read(picture, pattern=pattern or None)
    except lenet.LenetError as error:
        return None, str(error), []
    rows = [tell(number, f"line {number.line + 1}") for number in reading.numbers]
    said = reading.text or f"{reading.state}{': perhaps ' + reading.guess if reading.guess else ''}"
    return reading.annotated(), said, rows


page = gr.Interface(
    fn=read_numbers,
    inputs=[
        gr.Image(label="A picture of numbers", image_mode="RGB"),
        gr.Textbox(label="What a number may be, such as zip, amount or \\d{4}", value=""),
        gr.Checkbox(label="It is a table or a form"),
    ],
    outputs=[gr.Image(label="What was read"), gr.Textbox(label="Text"), gr.Dataframe(headers=COLUMNS, label="Numbers")],
    title="Read handwritten numbers",
    description="A number with a question mark is a guess. Nothing that you give is kept.",
    flagging_mode="never",
)

if __name__ == "__main__":
    page.launch()
