import type { Drawing } from "./definition";
import { laidOut } from "./layout";

addEventListener("message", (event: MessageEvent<Drawing>) => {
  postMessage(laidOut(event.data));
});
