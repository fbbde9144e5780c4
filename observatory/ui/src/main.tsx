import "@throughline/design-tokens/tokens.css";
import "./app/explorer.css";
import { render } from "preact";
import { Explorer } from "./app/explorer";

const container = document.getElementById("explorer");
if (container === null) throw new Error("index.html has no #explorer");
render(<Explorer />, container);
