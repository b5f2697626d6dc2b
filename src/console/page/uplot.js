// @ts-check
/** What charts are drawn with. Here for the type checker; the page is given the package's own file. */
export { default } from "uplot";
