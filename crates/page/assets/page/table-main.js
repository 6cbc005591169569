// The page of a table.

import { classNames, header, introduce, open } from "./head.js";
import { Table } from "./table.js";

introduce();
const model = {
  columns: header.columns, classes: header.classes, classNames: classNames(), labelName: header.label_name,
  seed: header.seed,
};
open(model, (link) => new Table(link, model));
