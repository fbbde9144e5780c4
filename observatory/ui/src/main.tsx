import "@throughline/design-tokens/tokens.css";
import "./shell/explorer.css";
import { render } from "preact";
import { Explorer } from "./shell/explorer";

const place = document.getElementById("explorer");
if (place === null) throw new Error("index.html has no #explorer");
render(<Explorer />, place);
