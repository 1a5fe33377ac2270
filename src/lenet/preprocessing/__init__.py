"""From a picture to ink: decode, colour, paper, illumination, dropout, binarize, ruled lines."""
