// @ts-check
/** The route: the view that the URL's fragment selects. */
import { useEffect, useState } from "./preact.js";

/** `#/connections/12` or `#/connections?filter=echo`, parsed. */
export function useRoute() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const look = () => setHash(location.hash);
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  const { pathname, searchParams } = new URL(hash.slice(1) || "/outlets", location.origin);
  const [view = "", id] = pathname.slice(1).split("/");
  return { view, id, filter: searchParams.get("filter") ?? "" };
}
