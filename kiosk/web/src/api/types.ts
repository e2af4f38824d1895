/** What the API answers, by the names of its contract; the types are made from its OpenAPI document. */
import type { components } from "./schema.d.ts";

type Schemas = components["schemas"];

export type JobView = Schemas["JobView"];
export type ImageView = Schemas["ImageView"];
export type ImagePage = Schemas["ImagePage"];
export type Doubts = Schemas["Doubts"];
export type RejectedImage = Schemas["RejectedImage"];
export type ModelView = Schemas["ModelView"];
export type CellsView = Schemas["CellsView"];
export type HeldView = Schemas["HeldView"];
export type Replayed = Schemas["Replayed"];
export type Accepted = Schemas["Accepted"];
export type UploadStarted = Schemas["UploadStarted"];
export type PartAddress = Schemas["PartAddress"];
export type StoredPart = Schemas["StoredPart"];
export type NewUpload = Schemas["NewUpload"];
export type Health = Schemas["Health"];
export type TraceView = Schemas["TraceView"];
export type JobTraceView = Schemas["JobTraceView"];
export type SpanView = Schemas["SpanView"];
export type Options = NonNullable<NewUpload["options"]>;
