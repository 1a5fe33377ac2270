"""The pad of the service's page: what is on it is kept, shown in the network, and no sure answer when it is none."""

from __future__ import annotations

import cv2
import numpy as np

from test_page import FORTY_SEVEN, ON_A_DESK, THREE, Visit, address, api, browser, pytestmark, visit  # noqa: F401

from conftest import ROOT


@ON_A_DESK
def test_the_network_is_there_before_anybody_draws(visit: Visit) -> None:  # noqa: F811
    """A sample is in it; a drawing takes its place, Clear brings it back and empties the panels, undo the drawing."""
    page = visit.page
    api.expect(page.locator("#inside-of")).to_have_text("a sample")
    api.expect(page.locator(".answers .best b")).to_have_text("2")
    visit.draw(THREE)
    visit.says("3")
    api.expect(page.locator(".answers .best b")).to_have_text("3")
    visit.open("why")
    api.expect(page.locator("#why")).to_contain_text("times as likely as")
    page.locator("#clear").click()
    api.expect(page.locator("#inside-of")).to_have_text("a sample")
    api.expect(page.locator("#why")).to_be_empty()
    page.locator("#undo").click()
    visit.says("3")
    page.reload()
    visit.says("3")


@ON_A_DESK
def test_what_is_not_sure_is_no_answer(visit: Visit) -> None:  # noqa: F811
    """A scribble is named as doubtful; several digits given to a network of one are refused, with what to choose."""
    page = visit.page
    page.locator("#model").select_option("lenet5-1998")
    visit.draw(FORTY_SEVEN)
    api.expect(page.locator("#sure")).to_contain_text("several digits, and lenet5-1998 reads one; choose lenet5-hands")
    api.expect(page.locator("#answer")).to_have_text("")
    assert all("422" in line for line in visit.wrong)  # a browser tells of every refusal
    visit.wrong.clear()


@ON_A_DESK
def test_a_photograph_is_made_smaller_before_it_is_sent(visit: Visit) -> None:  # noqa: F811
    """Its longer side has 2,400 pixels then; a tap does not take it away, and one beside the pad is taken too."""
    page = visit.page
    photo = cv2.resize(cv2.imread(str(ROOT / "examples" / "zip.jpg")), (3200, 1200))
    data = list(cv2.imencode(".jpg", photo)[1].tobytes())
    transfer = page.evaluate_handle(
        "bytes => { const all = new DataTransfer();"
        " all.items.add(new File([new Uint8Array(bytes)], 'zip.jpg', {type: 'image/jpeg'})); return all; }",
        data,
    )
    with page.expect_request("**/explain*") as sent:
        page.locator("footer").dispatch_event("drop", {"dataTransfer": transfer})
    picture = cv2.imdecode(np.frombuffer(sent.value.post_data_buffer, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert max(picture.shape) == 2400
    visit.says("90210")
    page.locator("#pad").click()
    visit.says("90210")


@ON_A_DESK
def test_a_reading_is_taken_along_as_a_command(visit: Visit) -> None:  # noqa: F811
    """With the network that is chosen and the service's own address, copied or shown."""
    page = visit.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#model").select_option("lenet5-reader")
    page.locator("#digit").check()
    page.locator("#curl").click()
    api.expect(page.locator("#curl")).to_have_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == f"curl --data-binary @picture.png '{page.url}read?model=lenet5-reader&digit=true'"
