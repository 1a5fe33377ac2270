"""Read an uploaded picture in a service of one's own: uvicorn web_upload:app, then POST a form with `file`."""

import lenet
from fastapi import FastAPI, HTTPException, UploadFile

app = FastAPI()


@app.post("/number")
def number(file: UploadFile) -> dict[str, object]:
    reading = next(iter(lenet.read_many(file.file)))
    if isinstance(reading, lenet.LenetError):
        raise HTTPException(422, str(reading))
    return reading.to_dict()
