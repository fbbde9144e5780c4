import "@throughline/design-tokens/tokens.css";
import "../../components/page.css";
import { render } from "preact";
import { Page } from "./BuyerPage";

const root = document.getElementById("app");
if (!root) throw new Error('index.html has no element with the id "app".');
render(<Page />, root);
