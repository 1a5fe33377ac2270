"""The table of a page, doubtful cells with a question mark: python table_of_page.py PAGE."""

import sys

import lenet

(table, *_others) = lenet.read_table(sys.argv[1], sums="last-row")
for row in range(table.rows):
    cells = [cell for cell in table.cells if cell.row == row]
    print(*(cell.text or (f"{cell.guess}?" if cell.guess else cell.state) for cell in cells), sep="\t")
print("sums hold:", all(each.holds for each in table.sums) if table.sums else "there are none")
