import "@throughline/look/look.css";
import "./explorer.css";
import { render } from "preact";
import { Explorer } from "./explorer";

const place = document.getElementById("explorer");
if (place === null) throw new Error("index.html has no #explorer");
render(<Explorer />, place);
