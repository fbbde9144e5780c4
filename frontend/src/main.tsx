import "@throughline/look/look.css";
import "./page/page.css";
import { render } from "preact";
import { Page } from "./page/Page";

const root = document.getElementById("app");
if (!root) throw new Error('index.html has no element with the id "app".');
render(<Page />, root);
