import "@throughline/look/look.css";
import "./app/explorer.css";
import { render } from "preact";
import { Explorer } from "./app/explorer";

const place = document.getElementById("explorer");
if (place === null) throw new Error("index.html has no #explorer");
render(<Explorer />, place);
