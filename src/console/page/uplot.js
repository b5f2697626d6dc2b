// @ts-check
/** Declares the types of uPlot for the type checker; the page gets the package's file instead. */
export { default } from "uplot";
