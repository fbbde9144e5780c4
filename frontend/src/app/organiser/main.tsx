import "@throughline/design-tokens/tokens.css";
import "../../components/page.css";
import { render } from "preact";
import { OrganiserPage } from "./OrganiserPage";

const root = document.getElementById("app");
if (!root) throw new Error('organiser.html has no element with the id "app".');
render(<OrganiserPage />, root);
