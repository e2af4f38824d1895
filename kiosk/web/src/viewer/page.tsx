/** One image with its cells. */
export default function ViewerPage({ job, image }: { job: string; image: number }) {
  return <img src={`/api/v1/jobs/${job}/images/${image}/overlay`} alt="Outlines of cells" />;
}
